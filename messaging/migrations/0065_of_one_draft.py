from django.db import migrations, models

DRAFTS = {
    "campaign": ("messaging.campaign", "campaign"),
    "email_campaign": ("messaging.emailcampaign", "email campaign"),
    "group_task": ("voice.grouptask", "group-call task"),
}


class Migration(migrations.Migration):
    """Approvals and proofs say from one base what they are about. Their names on it are the same, and so is every column."""

    dependencies = [("messaging", "0064_launched"), ("voice", "0020_launched")]

    operations = [
        migrations.AlterField(
            about,
            name,
            models.ForeignKey(
                model,
                models.CASCADE,
                null=True,
                related_name="%(class)ss",
                verbose_name=words,
            ),
        )
        for about in ("approval", "proof")
        for name, (model, words) in DRAFTS.items()
    ]
