from django.db import migrations

ROLES = ("Viewer", "Operator", "Approver", "Administrator")


def make(apps, schema_editor):
    """Empty: their permissions follow when they exist (laaffic_console/dashboard/people/roles.py)."""
    group = apps.get_model("auth", "Group")
    for name in ROLES:
        group.objects.using(schema_editor.connection.alias).get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("gateway", "0004_balance_and_clock"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
