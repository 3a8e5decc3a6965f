"""A person's decision on a call's cost that cannot be right: it is counted, or left out, with a reason."""

import copy

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.figures import money
from laaffic_console.kit.words.not_now import NotNow
from voice.models import CallRecord
from voice.services.records import call_records

LONGEST_REASON = 150


def decide(record_id: int, *, take: bool, why: str, by: User) -> None:
    """Decide; ValidationError if a reason is missing or nothing is to decide. The same decision by the same person with
    the same reason changes nothing: a caller who repeats it has lost the answer."""
    why = " ".join(why.split())
    if not why:
        raise ValidationError(_("Say how you know it: it is kept with the record."))
    with transaction.atomic():
        row = CallRecord.objects.select_for_update().get(pk=record_id)
        begins, ends = f"{by.get_username()} {'takes' if take else 'leaves out'} ", f": {why[:LONGEST_REASON]}"
        if row.cost_word.startswith(begins) and row.cost_word.endswith(ends):
            return
        if not row.is_doubted or row.doubtful_cost is None:
            raise NotNow(_("What this call cost is known, or was decided, by now. Look at it again."))
        if take and row.doubtful_cost < 0:
            raise ValidationError(_("No call costs less than nothing: this cost can only be left out."))
        shown = money(row.doubtful_cost, row.doubtful_currency)
        said = f"{begins}{shown}{ends}"
        CallRecord.objects.filter(pk=row.pk).update(cost_word=said[:300])
        record(Act.SETTLED, row, event=said)
        if take:
            taken = copy.copy(row)
            taken.cost, taken.currency, taken.cost_word = row.doubtful_cost, row.doubtful_currency, said[:300]
            call_records.keep([taken])
