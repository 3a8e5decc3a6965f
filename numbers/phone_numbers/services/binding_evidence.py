"""What a list of bindings proves about requests whose answer was lost (laws#unknown-stays)."""

import datetime as dt

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import IS_OPEN_ENTRY, Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import known_by, ledger
from laaffic_console.gateway.services.ledger.known_by import Evidence
from laaffic_console.gateway.services.ledger.late_evidence import SHOWS_WITHIN, denied_lately
from laaffic_console.gateway.services.work import due
from laaffic_console.laaffic import numbers as wire
from messaging.subscribers import spellings
from phone_numbers.models import Binding, BindingRequest
from phone_numbers.services.arrival import ARRIVES_WITHIN

Verb = BindingRequest.Verb
ABOUT = "binding request"
LONGEST = dt.timedelta(seconds=wire.LONGEST_BINDING)
UNKNOWN = Q(entry__state=EntryState.UNKNOWN)
NEVER_KNOWN = Q(entry__state=EntryState.LAPSED)
NAMELESS = Q(entry__state=EntryState.ACCEPTED)  # of requests without a binding: the answer did not name it
RAN_OUT = known_by.time("by now it would have run out; no list showed it")
SHARED = known_by.time("by now it would have run out; a list showed a binding that another request may have made too")


def settle(application: Application, *, began: dt.datetime, is_complete: bool) -> int:
    """Settle requests by the list that was read since `began`; how many were settled."""
    open_requests = BindingRequest.objects.filter(application=application).select_related("entry", "binding")
    unknown = open_requests.filter(UNKNOWN)
    nameless = open_requests.filter(NAMELESS, verb=Verb.BIND, binding=None)
    for request in nameless.order_by("pk"):
        if found := _made_by(request, NAMELESS):
            _belongs(found, request)
    settled = sum(_settle(request, began, is_complete) for request in unknown.order_by("pk"))
    denied = open_requests.filter(_denied(began))
    return settled + sum(_show_up(request, began, is_complete) for request in denied.order_by("pk"))


def lapse() -> int:
    """End unknown requests about bindings that ran out a day ago, if their list is not read any more; how many."""
    unknown = LedgerEntry.objects.filter(IS_OPEN_ENTRY.implied, state=EntryState.UNKNOWN, about_kind=ABOUT)
    requests = BindingRequest.objects.filter(entry__in=unknown).select_related("entry", "binding")
    ago = timezone.now() - SHOWS_WITHIN
    over = [request for request in requests.order_by("pk") if _is_about_what_is_over(request, ago)]
    return sum(ledger.lapse(request.entry_id or 0, evidence=_why_over(request)) for request in over)


def _why_over(request: BindingRequest) -> Evidence:
    return SHARED if request.verb == Verb.BIND and _unclaimed(request).exists() else RAN_OUT


def _is_about_what_is_over(request: BindingRequest, moment: dt.datetime) -> bool:
    if request.verb == Verb.BIND:
        return _would_be_over(request, moment)
    return request.binding is not None and _had_run_out(request.binding, moment)


def _had_run_out(binding: Binding, moment: dt.datetime) -> bool:
    return binding.expires_at is not None and binding.expires_at + ARRIVES_WITHIN <= moment


def _denied(began: dt.datetime) -> Q:
    """Requests of the last day that a list denied; found by when they were made, so that an index is enough."""
    return Q(requested_at__gte=began - SHOWS_WITHIN - ARRIVES_WITHIN) & denied_lately(began, "entry__")


def _settle(request: BindingRequest, began: dt.datetime, is_complete: bool) -> bool:
    left_at = request.entry.left_at if request.entry else None
    if left_at is None or (left_at > began and not due.is_ahead(left_at)):
        return False  # the list may be older than the request
    is_late = is_complete and began - left_at >= ARRIVES_WITHIN
    if request.verb == Verb.BIND:
        return _settle_bind(request, began, is_late)
    return _settle_unbind(request, began, is_complete, is_late)


def _show_up(request: BindingRequest, began: dt.datetime, is_complete: bool) -> bool:
    """Correct a request that an earlier list denied, if this list shows that it was done."""
    if request.verb == Verb.UNBIND:
        binding = request.binding
        if binding is None or not is_complete or binding.ending != Binding.Ending.VANISHED:
            return False
        Binding.objects.filter(pk=binding.pk).update(ending=Binding.Ending.UNBOUND)
        return ledger.was_done_after_all(request.entry_id or 0, evidence=_is_gone(began))
    if request.binding is not None or _would_be_over(request, began) or _is_repeated_now(request):
        return False
    if found := _made_by(request, UNKNOWN | NEVER_KNOWN | _denied(began)):
        _belongs(found, request)
        return ledger.was_done_after_all(request.entry_id or 0, evidence=_is_there(found, began))
    return False


def _settle_bind(request: BindingRequest, began: dt.datetime, is_late: bool) -> bool:
    if _is_repeated_now(request):
        return False
    if found := _made_by(request, UNKNOWN | NEVER_KNOWN):
        _belongs(found, request)
        return ledger.settle_by_evidence(request.entry_id or 0, EntryState.ACCEPTED, evidence=_is_there(found, began))
    if _would_be_over(request, began):  # it would have ended by now, so its absence proves nothing
        return ledger.lapse(request.entry_id or 0, evidence=_why_over(request))
    if not is_late or _unclaimed(request).exists():  # a binding that two requests may have made denies neither
        return False
    evidence = _("the list of %(when)s holds no such binding: nothing was bound") % {"when": _minute(began)}
    return ledger.settle_by_evidence(request.entry_id or 0, EntryState.REFUSED, evidence=known_by.listing(evidence))


def _settle_unbind(request: BindingRequest, began: dt.datetime, is_complete: bool, is_late: bool) -> bool:
    binding = request.binding
    if binding is None:
        return False
    if not is_complete:  # a binding that has run out by now is as good as unbound
        return _had_run_out(binding, began) and ledger.lapse(request.entry_id or 0, evidence=RAN_OUT)
    if not binding.is_live:
        Binding.objects.filter(pk=binding.pk, ending=Binding.Ending.VANISHED).update(ending=Binding.Ending.UNBOUND)
        return ledger.settle_by_evidence(request.entry_id or 0, EntryState.ACCEPTED, evidence=_is_gone(began))
    if not is_late:
        return False
    evidence = _("the list of %(when)s still holds it: nothing was unbound") % {"when": _minute(began)}
    return ledger.settle_by_evidence(request.entry_id or 0, EntryState.REFUSED, evidence=known_by.listing(evidence))


def _made_by(request: BindingRequest, rivals: Q) -> Binding | None:
    """The binding of this pair that did not exist before the request left, and is not another request's. None if one of
    the `rivals` may have made it too."""
    found = _unclaimed(request).order_by("pk").first()
    if found is None:
        return None
    recent = Q(requested_at__gte=request.requested_at - LONGEST - ARRIVES_WITHIN)  # an index is enough for these
    others = BindingRequest.objects.filter(recent, rivals, _same_pair(request), verb=Verb.BIND, binding=None)
    is_shared = any(_may_have_made(other, found) for other in others.exclude(pk=request.pk).select_related("entry"))
    return None if is_shared else found


def _may_have_made(request: BindingRequest, binding: Binding) -> bool:
    """Whether the binding is among those that the request can have made, and was seen before that would be over."""
    return _unclaimed(request).filter(pk=binding.pk).exists() and not _would_be_over(request, binding.first_seen_at)


def _is_repeated_now(request: BindingRequest) -> bool:
    """Whether the same is requested again at the same time: the listed binding may be that request's."""
    same_pair = BindingRequest.objects.filter(_same_pair(request), verb=Verb.BIND)
    return same_pair.filter(pk__gt=request.pk, entry__state=EntryState.IN_FLIGHT).exists()


def _unclaimed(request: BindingRequest) -> QuerySet[Binding]:
    same_pair = Binding.objects.filter(_same_pair(request))
    new = (
        same_pair.filter(pk__gt=request.newest_before)
        if request.newest_before is not None
        else _by_clock(same_pair, request)
    )
    return new.exclude(Q(requests__verb=Verb.BIND) & ~Q(requests__pk=request.pk))


def _same_pair(request: BindingRequest) -> Q:
    """The same application, A and B, however Laaffic or a person spells their numbers."""
    return Q(
        application_id=request.application_id,
        phone_a__in=spellings(request.phone_a),
        phone_b__in=spellings(request.phone_b),
    )


def _by_clock(bindings: QuerySet[Binding], request: BindingRequest) -> QuerySet[Binding]:
    """Bindings first seen since the request left; for old requests, which have no `newest_before`."""
    return bindings.filter(first_seen_at__gte=request.entry.left_at if request.entry else None)


def _belongs(binding: Binding, request: BindingRequest) -> None:
    BindingRequest.objects.filter(pk=request.pk).update(binding=binding)
    Binding.objects.filter(pk=binding.pk).update(pool_number=request.pool_number)


def _would_be_over(request: BindingRequest, began: dt.datetime) -> bool:
    left_at = request.entry.left_at if request.entry else None
    lasts = dt.timedelta(seconds=request.seconds or 0)
    return left_at is not None and left_at + max(lasts, ARRIVES_WITHIN) <= began


def _is_there(binding: Binding, began: dt.datetime) -> Evidence:
    said = _("the list of %(when)s holds binding %(id)s") % {"when": _minute(began), "id": binding.bind_id}
    return known_by.listing(said)


def _is_gone(began: dt.datetime) -> Evidence:
    return known_by.listing(_("the list of %(when)s does not hold it any more") % {"when": _minute(began)})


def _minute(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
