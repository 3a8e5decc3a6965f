import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Group calls have these from the base of every campaign. What differed, no column knows."""

    dependencies = [
        ("voice", "0019_lists_of_records"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(
            migrations.AlterField(
                "grouptask",
                name,
                models.ForeignKey(
                    settings.AUTH_USER_MODEL,
                    django.db.models.deletion.SET_NULL,
                    editable=False,
                    null=True,
                    related_name="+",
                    verbose_name=words,
                ),
            )
            for name, words in (("created_by", "by"), ("launched_by", "launched by"))
        ),
        migrations.AlterField("grouptask", "launched_at", models.DateTimeField("launched", editable=False, null=True)),
        migrations.AlterField(
            "grouptask", "undo_until", models.DateTimeField("can be taken back until", editable=False, null=True)
        ),
    ]
