"""Bind and unbind: checked, recorded, sent, settled (pns/bind and pns/unbind, laaffic-api#bindings)."""

import datetime as dt

import phonenumbers
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Application, Channel, LedgerEntry
from laaffic_console.gateway.services.client import code_words, refused_values
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.ledger import ledger, open_acts, single_requests
from laaffic_console.gateway.services.ledger.late_evidence import accepted
from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import Code, LaafficError, OutcomeUnknown, Refused
from laaffic_console.laaffic import numbers as wire
from messaging import msisdn
from messaging.subscribers import every_spelling, subscriber
from phone_numbers.models import Binding, BindingKind, BindingRequest
from phone_numbers.pool_config import MAX_POOL_NUMBER
from phone_numbers.services import binding_evidence, binding_sync, syncing

MAX_SECONDS = 259_200  # three days
Verb = BindingRequest.Verb
# Parameters of the interface → fields.
PARAMETERS = {"phoneA": "phone_a", "phoneB": "phone_b", "poolNumber": "pool_number", "expireS": "seconds"}


def bind(
    *,
    application: Application,
    phone_a: str,
    phone_b: str,
    pool_number: str,
    seconds: int,
    kind: int = BindingKind.AXB,
    again: str = "",
    by: User | None = None,
) -> BindingRequest:
    """Bind A to B. ValidationError, by field, if it is wrong or refused and nothing was bound.

    If the answer was lost, the request's ledger row is `unknown`: it is not sent again; the next synchronisation
    settles it. Until then the same pair needs a reason, `again`.
    """
    a, b = checked_pair(phone_a, phone_b)
    _check_terms(application, pool_number, seconds)
    with transaction.atomic():
        request = BindingRequest.objects.create(
            verb=Verb.BIND,
            application=application,
            phone_a=a,
            phone_b=b,
            pool_number=pool_number,
            kind=kind,
            seconds=seconds,
            newest_before=Binding.objects.aggregate(newest=Max("pk"))["newest"] or 0,
            requested_by=by,
        )
        summary = {"pool": pool_number, "seconds": seconds, "kind": int(kind)}
        entry = _prepare(
            "bind", request, ledger.digest_of("bind", *sorted(map(subscriber, (a, b)))), summary, again, by
        )
    try:
        result = single_requests.send(
            entry,
            lambda: laaffic_client().numbers.bind(
                app_id=application.app_id,
                phone_a=a,
                phone_b=b,
                pool_number=pool_number,
                expires_in=seconds,
                kind=wire.BindingKind(kind),
            ),
        )
    except OutcomeUnknown:
        return _look_soon(request)
    except LaafficError as problem:
        raise _explained(problem, request) from problem
    return _bound(request, result)


def unbind(binding: Binding, *, seen: str | None = None, again: str = "", by: User | None = None) -> BindingRequest:
    """End a binding. ValidationError if it is refused; a binding that is gone already is marked as gone.

    `seen` is `pair_as_shown` of what the caller has looked at: a synchronisation may have given the row other numbers.
    """
    with transaction.atomic():
        locked = Binding.objects.select_for_update().get(pk=binding.pk)
        if not locked.is_live:
            raise NotNow(_("This binding is gone already: there is nothing to unbind."))
        if seen is not None and seen != pair_as_shown(locked):
            raise NotNow(
                _("This binding joins %(pair)s now, not the two that were shown. Look at it again.")
                % {"pair": locked.shown_pair}
            )
        request = BindingRequest.objects.create(
            verb=Verb.UNBIND,
            application=locked.application,
            phone_a=locked.phone_a,
            phone_b=locked.phone_b,
            pool_number=locked.pool_number,
            binding=locked,
            requested_by=by,
        )
        entry = _prepare("unbind", request, unbind_digest(locked), {"bindId": locked.bind_id}, again, by)
    try:
        single_requests.send(
            entry, lambda: laaffic_client().numbers.unbind(app_id=locked.application.app_id, bind_id=locked.bind_id)
        )
    except OutcomeUnknown:
        return _look_soon(request)
    except Refused as refusal:
        raise _not_unbound(refusal, locked) from refusal
    except LaafficError as problem:
        raise _explained(problem, request) from problem
    with transaction.atomic():
        accepted(entry.pk)
        _end(locked, Binding.Ending.UNBOUND)
    return _fresh(request)


def pair_as_shown(binding: Binding) -> str:
    """A mark for the two that a binding joins, from which nobody can find out their numbers."""
    told = f"{binding.pk} {binding.pair}"
    return salted_hmac("phone_numbers.pair_as_shown", told, algorithm="sha256").hexdigest()[:32]


def unbind_digest(binding: Binding) -> str:
    return ledger.digest_of("unbind", binding.bind_id)


def checked_pair(phone_a: str, phone_b: str) -> tuple[str, str]:
    """Both numbers as digits; ValidationError unless they differ and are of one country (laaffic-api#bindings)."""
    problems, numbers = {}, {}
    for field, text in (("phone_a", phone_a), ("phone_b", phone_b)):
        try:
            numbers[field] = msisdn.parse(text).number
        except msisdn.InvalidNumber as problem:
            problems[field] = str(problem)
    if problems:
        raise ValidationError(problems)
    a, b = numbers["phone_a"], numbers["phone_b"]
    if subscriber(a) == subscriber(b):
        raise ValidationError({"phone_b": _("A and B are the same number. A binding joins two.")})
    if _calling_code(a) != _calling_code(b):
        shown = {"a": f"+{_calling_code(a)}", "b": f"+{_calling_code(b)}"}
        raise ValidationError(
            {"phone_b": _("A is in %(a)s and B in %(b)s. Laaffic binds only numbers of one country.") % shown}
        )
    return a, b


def _calling_code(number: str) -> int:
    return phonenumbers.parse(f"+{number}").country_code or 0


def _check_terms(application: Application, pool_number: str, seconds: int) -> None:
    problems: dict[str, str | ValidationError] = {}
    if application.channel != Channel.NUMBER:
        problems["application"] = _("This is not an application for numbers. Choose one of the channel Numbers.")
    elif not application.is_active:
        problems["application"] = NotNow(_("This application is switched off."))
    if not 1 <= len(pool_number) <= MAX_POOL_NUMBER:
        problems["pool_number"] = _("Name the pool that the middle number comes from: 1 to 20 characters.")
    if not 1 <= seconds <= MAX_SECONDS:
        problems["seconds"] = _("A binding lasts from 1 second to 3 days (259,200 seconds).")
    if problems:
        raise ValidationError(problems)


def _prepare(
    interface: str, request: BindingRequest, digest: str, summary: dict[str, object], again: str, by: User | None
) -> LedgerEntry:
    why = open_acts.require(digest, request.application, again=again)
    entry = ledger.prepare(
        interface=interface,
        application=request.application,
        about_kind=binding_evidence.ABOUT,
        about_id=request.pk,
        summary={**summary, **why},
        digest=digest,
        requested_by=by,
    )
    BindingRequest.objects.filter(pk=request.pk).update(entry=entry)
    return entry


def _bound(request: BindingRequest, result: wire.NewBinding) -> BindingRequest:
    """Settle the request and store the binding in one transaction; without an id the next sync completes it."""
    now = timezone.now()
    asked = _fresh(request)
    with transaction.atomic():
        accepted(asked.entry_id or 0)
        if result.bind_id:
            binding, _made = Binding.objects.update_or_create(
                application=request.application,
                bind_id=result.bind_id,
                defaults={
                    "phone_a": request.phone_a,
                    "phone_b": request.phone_b,
                    "pns_number_a": result.pns_number_a,
                    "pns_number_b": result.pns_number_b,
                    "pool_number": request.pool_number,
                    "expires_at": now + dt.timedelta(seconds=request.seconds or 0),
                    "last_seen_at": now,
                    "ended_at": None,
                    "ending": "",
                },
            )
            BindingRequest.objects.filter(pk=request.pk).update(binding=binding)
    if not result.bind_id:
        syncing.COPIES.request(binding_sync.name_of(request.application))
    return _fresh(request)


def _look_soon(request: BindingRequest) -> BindingRequest:
    """Have the list read soon, as it shows what happened to the request."""
    syncing.COPIES.request(binding_sync.name_of(request.application))
    return _fresh(request)


def _fresh(request: BindingRequest) -> BindingRequest:
    return BindingRequest.objects.select_related("entry", "binding", "application").get(pk=request.pk)


def _end(binding: Binding, ending: str) -> None:
    """End a binding with the right reason, even if a synchronisation noticed first that it is no longer listed."""
    open_or_missed = Q(ended_at=None) | Q(ending=Binding.Ending.VANISHED)
    Binding.objects.filter(open_or_missed, pk=binding.pk).update(ended_at=timezone.now(), ending=ending)


def _not_unbound(refusal: Refused, binding: Binding) -> ValidationError:
    if refusal.code != Code.DOES_NOT_EXIST:
        return NotNow(code_words.said(refusal))
    run_out = binding.expires_at is not None and binding.expires_at <= timezone.now() + binding_sync.CLOCKS_APART
    _end(binding, Binding.Ending.EXPIRED if run_out else Binding.Ending.VANISHED)
    return NotNow(
        _("Laaffic has no binding %(id)s any more (−24): it has run out or was ended elsewhere. It is marked as gone.")
        % {"id": binding.bind_id}
    )


def _explained(problem: LaafficError, request: BindingRequest) -> ValidationError:
    """The refusal at the field that can be changed, with what to do next."""
    match problem.code:
        case Code.BOUND_ALREADY:
            return NotNow({"phone_a": _bound_already(request)})
        case Code.NO_FREE_NUMBER:
            return NotNow(
                {
                    "pool_number": _(
                        "No middle number of this pool is free (−41). Try again when a binding has ended, "
                        "or add numbers to the pool."
                    )
                }
            )
        case Code.DOES_NOT_EXIST:
            return ValidationError({"pool_number": _("Laaffic does not have this pool (−24). Choose another.")})
    return refused_values.error_of(problem, PARAMETERS)


def _bound_already(request: BindingRequest) -> str:
    """The sentence for −35, which says that one of the two is bound, but not which; our copy may know."""
    both = every_spelling([request.phone_a, request.phone_b])
    live = Binding.objects.live().filter(application=request.application)
    known = live.filter(phone_a__in=both) | live.filter(phone_b__in=both)
    if found := known.order_by("-pk").first():
        return _(
            "A or B is bound already (−35): %(a)s – %(b)s is binding %(id)s. Unbind it first, or wait until it ends."
        ) % {"a": masked(found.phone_a), "b": masked(found.phone_b), "id": found.bind_id}
    return _("A or B is bound already (−35). Synchronise to see the binding, and unbind it first.")
