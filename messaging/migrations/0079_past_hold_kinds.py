"""The kinds of what is held already, by its sentence."""

from typing import Any

from django.db import migrations
from django.db.models import Q

from messaging import past_hold_kinds


def fill(apps: Any, _schema_editor: Any) -> None:
    past_hold_kinds.fill(apps.get_model("messaging", "Campaign"), Q(account_hold__isnull=False))
    past_hold_kinds.fill(apps.get_model("messaging", "EmailCampaign"), Q(is_held_by_account=True))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0078_hold_kinds")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
