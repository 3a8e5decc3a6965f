import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Campaigns of every channel have these from one base. What differed, no column knows: a form could have held them."""

    dependencies = [
        ("messaging", "0063_consent_not_given"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            "campaign",
            "created_by",
            models.ForeignKey(
                settings.AUTH_USER_MODEL,
                django.db.models.deletion.SET_NULL,
                editable=False,
                null=True,
                related_name="+",
                verbose_name="by",
            ),
        ),
        migrations.AlterField(
            "campaign", "hold_reason", models.TextField("why it is held", blank=True, editable=False)
        ),
        migrations.AlterField("campaign", "launched_at", models.DateTimeField("launched", editable=False, null=True)),
        *(
            migrations.AlterField(
                campaign, "undo_until", models.DateTimeField("can be taken back until", editable=False, null=True)
            )
            for campaign in ("campaign", "emailcampaign")
        ),
    ]
