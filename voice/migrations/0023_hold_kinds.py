from django.db import migrations, models

KINDS = [
    ("restore_unfinished", "Restore Unfinished"),
    ("restored", "Restored"),
    ("account", "Account"),
    ("latest_end", "Latest End"),
    ("few_first", "Few First"),
    ("too_late", "Too Late"),
    ("other", "Other"),
]


def kind() -> "models.CharField[str, str]":
    return models.CharField(blank=True, choices=KINDS, db_default="", default="", editable=False, max_length=20)


class Migration(migrations.Migration):
    dependencies = [("voice", "0022_whole_digits")]

    operations = [migrations.AddField("grouptask", "hold_kind", kind())]
