import functools
import operator

from django.db import migrations, models
from django.db.models import Q

from messaging.subscribers import PREFIXES, spellings

CHUNK = 1000


def spell_what_is_suppressed(apps, schema_editor):
    """Of the entries that are on the list already; only some countries have other spellings."""
    entries = apps.get_model("messaging", "SuppressionEntry").objects
    spelling = apps.get_model("messaging", "OtherSpelling")
    has_others = functools.reduce(operator.or_, (Q(number__startswith=prefix) for prefix in PREFIXES))
    last = 0
    ordered = entries.filter(has_others).order_by("pk").values_list("pk", "number")
    while chunk := list(ordered.filter(pk__gt=last)[:CHUNK]):
        pairs = [(other, number) for _pk, number in chunk for other in spellings(number)[1:]]
        others = [spelling(number=other, suppressed=number) for other, number in pairs]
        spelling.objects.bulk_create(others, ignore_conflicts=True, batch_size=500)
        last = chunk[-1][0]


class Migration(migrations.Migration):

    dependencies = [
        ("messaging", "0016_approvals"),
    ]

    operations = [
        migrations.CreateModel(
            name="OtherSpelling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=15)),
                ("suppressed", models.CharField(max_length=15)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("number", "suppressed"), name="other_spelling_once"),
                ],
            },
        ),
        migrations.RunPython(spell_what_is_suppressed, migrations.RunPython.noop),
    ]
