"""A person's word on a call's cost that cannot be right: it is taken, or left out, with a reason."""

import copy

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.figures import money
from voice.models import CallRecord
from voice.services.records import call_records

LONGEST_REASON = 150


def decide(record_id: int, *, take: bool, why: str, by: User) -> None:
    """ValidationError where a reason is missing, or nothing is left to decide."""
    why = " ".join(why.split())
    if not why:
        raise ValidationError(_("Say how you know it: it is kept with the record."))
    with transaction.atomic():
        row = CallRecord.objects.select_for_update().get(pk=record_id)
        if not row.is_doubted or row.doubtful_cost is None:
            raise ValidationError(_("What this call cost is known, or was decided, by now. Look at it again."))
        if take and row.doubtful_cost < 0:
            raise ValidationError(_("No call costs less than nothing: this cost can only be left out."))
        shown = money(row.doubtful_cost, row.doubtful_currency)
        said = f"{by.get_username()} {'takes' if take else 'leaves out'} {shown}: {why[:LONGEST_REASON]}"
        CallRecord.objects.filter(pk=row.pk).update(cost_word=said[:300])
        record(Act.SETTLED, row, event=said)
        if take:
            taken = copy.copy(row)
            taken.cost, taken.currency = row.doubtful_cost, row.doubtful_currency
            call_records.keep([taken])
