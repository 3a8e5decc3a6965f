import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("voice", "0016_care_for_group_calls")]

    operations = [
        migrations.AddField("grouptask", "is_counted", models.BooleanField(db_default=False, default=False, editable=False)),
        migrations.AddIndex(
            "grouptask",
            models.Index(
                condition=models.Q(("is_counted", True)), fields=["finished_at"], name="group_task_counted"
            ),
        ),
        migrations.CreateModel(
            name="CalledNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20)),
                (
                    "task",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="voice.grouptask",
                    ),
                ),
            ],
            options={
                "verbose_name": "called number",
                "default_permissions": (),
                "indexes": [models.Index(fields=["task"], name="called_number_task")],
                "constraints": [models.UniqueConstraint(fields=("number", "task"), name="called_number_once")],
            },
        ),
    ]
