"""Changing a pool at Laaffic: checked, compared, confirmed by typing its number, recorded, sent, settled.

A version becomes ours only when Laaffic has accepted it; until then it is just a request.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from laaffic_console.gateway.services.client import refused_values
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.ledger import ledger, single_requests
from laaffic_console.gateway.services.ledger.late_evidence import accepted
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import Code, LaafficError, OutcomeUnknown
from phone_numbers import addresses, number_lists
from phone_numbers.models import NumberPool, PoolVersion
from phone_numbers.number_lists import NumberList
from phone_numbers.pool_config import MAX_CONCURRENCY, MAX_POOL_NUMBER, PoolConfig, PoolDifference, difference
from phone_numbers.services import pool_state, pool_sync, syncing
from phone_numbers.services.refusals import Overtaken

Origin = PoolVersion.Origin
# Parameters of the interface → fields.
PARAMETERS = {
    "poolNumber": "pool_number",
    "customerWhitelist": "whitelist",
    "maxConcurrency": "max_concurrency",
    "numberList": "numbers",
}
TAKEN = "taken"  # the error of a number that another pool has
NAMED = 5  # at most, of the numbers that come twice


@dataclass(frozen=True, slots=True)
class Proposal:
    """The settings that somebody typed, read and checked."""

    config: PoolConfig
    duplicate_numbers: tuple[str, ...] = field(default=())
    duplicate_addresses: tuple[str, ...] = field(default=())


def read(
    *,
    pool_number: str,
    whitelist: str,
    max_concurrency: int | None,
    numbers: str = "",
    file: bytes | None = None,
    pool: NumberPool | None = None,
) -> Proposal:
    """Check everything that was typed; ValidationError names every field that is wrong."""
    problems: dict[str, Sequence[str | ValidationError]] = {}
    held = pool.listed if pool else None
    pool_number = pool_number.strip()
    if not 1 <= len(pool_number) <= MAX_POOL_NUMBER:
        problems["pool_number"] = [_("A pool number has 1 to 20 characters.")]
    elif _is_taken(pool_number, pool):
        said = _("There is a pool %(number)s already. Edit that one.") % {"number": pool_number}
        problems["pool_number"] = [ValidationError(said, code=TAKEN)]
    if max_concurrency is None or not 0 <= max_concurrency <= MAX_CONCURRENCY:
        problems["max_concurrency"] = [_("Concurrent calls are a number from 0 to 9,999.")]
    listed = addresses.Addresses((), ())
    try:
        listed = addresses.read(whitelist, held=held.addresses if held else None)
    except addresses.InvalidAddresses as problem:
        problems["whitelist"] = problem.problems
    collected: list[NumberList] = []
    held_numbers = held.numbers if held else ()
    try:
        collected.append(number_lists.read_pasted(numbers, held=held_numbers))
    except number_lists.InvalidNumbers as problem:
        problems["numbers"] = problem.problems
    try:
        collected.append(number_lists.read_csv(file, held=held_numbers) if file is not None else NumberList((), ()))
    except number_lists.InvalidNumbers as problem:
        problems["file"] = problem.problems
    if problems:
        raise ValidationError(problems)
    merged = number_lists.join(*collected)
    config = PoolConfig(pool_number, listed.addresses, max_concurrency or 0, merged.numbers)
    return Proposal(config, merged.duplicates, listed.duplicates)


def taking_over(pool: NumberPool, proposal: Proposal, seen_version: int | None) -> tuple[Proposal, PoolVersion | None]:
    """Merge somebody else's change since the form was filled: values that the form left as they were take the other's,
    so that sending it does not undo that change. Also returns the other's version; None if there is none.

    `seen_version` is the key of the version that was ours then: after a restore a version number may be another's.
    """
    now, was = pool.current, pool.versions.filter(pk=seen_version or 0).first()
    if now is None or was is None or was.pk == now.pk:
        return proposal, None
    mine, before, theirs = proposal.config, was.config, now.config
    untouched = {
        name: getattr(theirs, name)
        for name in ("pool_number", "addresses", "max_concurrency", "numbers")
        if _same(getattr(mine, name), getattr(before, name))
    }
    return replace(proposal, config=replace(mine, **untouched)), now


def _same(value: object, other: object) -> bool:
    return set(value) == set(other) if isinstance(value, tuple) and isinstance(other, tuple) else value == other


def difference_to_held(pool: NumberPool | None, config: PoolConfig) -> PoolDifference:
    """What the change would change at Laaffic, as far as we know what Laaffic holds."""
    return difference(pool.listed if pool else None, config)


def listed_as_shown(pool: NumberPool | None) -> str:
    """A mark for all that Laaffic holds of a pool: pages pass it on from the difference that they show."""
    held = pool.listed if pool else None
    return held.fingerprint if held else "nothing"


def version_as_shown(pool: NumberPool) -> int:
    """The key of the version that is ours; 0 if there is none."""
    return pool.current_id or 0


def create(proposal: PoolConfig, *, typed: str, is_at_laaffic: bool = False, by: User | None = None) -> PoolVersion:
    """Create a pool at Laaffic. A number whose creation was refused before can be tried again.

    `is_at_laaffic`: Laaffic has it, and its list does not say so: all its settings are replaced.
    """
    _check_typed(typed, proposal.pool_number)
    try:
        with transaction.atomic():
            if _is_taken(proposal.pool_number, None):
                raise _taken(proposal.pool_number)
            never_made = NumberPool.objects.filter(pool_number=proposal.pool_number, current=None, gone_at=None).first()
            pool = never_made or NumberPool.objects.create(pool_number=proposal.pool_number)
    except IntegrityError as problem:  # somebody else creates it at the same time
        raise _taken(proposal.pool_number) from problem
    try:
        return apply(
            pool,
            proposal,
            typed=typed,
            origin=Origin.EDITED if is_at_laaffic else Origin.CREATED,
            seen_listed=listed_as_shown(None),
            is_at_laaffic=is_at_laaffic,
            by=by,
        )
    except Overtaken as problem:  # somebody else has just created it
        raise _taken(proposal.pool_number) from problem


def apply(
    pool: NumberPool,
    config: PoolConfig,
    *,
    typed: str,
    origin: str = Origin.EDITED,
    again: int | None = None,
    seen_version: int | None = None,
    seen_listed: str | None = None,
    is_at_laaffic: bool = False,
    by: User | None = None,
) -> PoolVersion:
    """Send a pool's settings. ValidationError, by field, if nothing was changed; Overtaken if the pool is not as seen.

    If the answer was lost, the version's ledger row is `unknown`: it is not sent again, and the next synchronisation
    settles it. `seen_version` is the key of the version that was ours when the caller looked: if it is another one now,
    they look again. `seen_listed` is `listed_as_shown` for the difference that they saw: a synchronisation makes no
    version.
    """
    with transaction.atomic():
        locked = NumberPool.objects.select_for_update().get(pk=pool.pk)
        old = locked.listed
        _check_seen(locked, seen_listed)
        _check_ours(locked, seen_version)
        _check_typed(typed, old.pool_number if old else config.pool_number)
        _check_may_change(locked, config)
        version = pool_state.add_version(
            locked, config, origin=origin, again=again, old_pool_number=old.pool_number if old else "", by=by
        )
        entry = ledger.prepare(
            interface=pool_state.EDIT if old or is_at_laaffic else "createNumberPool",
            application=None,
            about_kind=pool_state.ABOUT,
            about_id=locked.pk,
            summary=_summary(locked, version),
            digest=ledger.digest_of(config.pool_number, config.whitelist, str(config.max_concurrency), *config.numbers),
            requested_by=by,
        )
        PoolVersion.objects.filter(pk=version.pk).update(entry=entry)
    try:
        single_requests.send(entry, lambda: _send(old, config, is_at_laaffic=is_at_laaffic))
    except OutcomeUnknown:
        syncing.COPIES.request(pool_sync.NAME)
        return _fresh(version)
    except LaafficError as problem:
        raise _explained(problem) from problem
    with transaction.atomic():
        accepted(entry.pk)
        NumberPool.objects.select_for_update().get(pk=pool.pk)
        if not pool_state.is_followed(version):
            pool_state.take(version, listed_at=timezone.now())
    syncing.COPIES.request(pool_sync.NAME)  # to see what Laaffic has made of it
    return _fresh(version)


def apply_version(
    version: PoolVersion,
    *,
    typed: str,
    seen_version: int | None = None,
    seen_listed: str | None = None,
    by: User | None = None,
) -> PoolVersion:
    """Apply an earlier version, or the current one if Laaffic's settings have drifted."""
    return apply(
        version.pool,
        version.config,
        typed=typed,
        origin=Origin.REAPPLIED,
        again=version.number,
        seen_version=seen_version,
        seen_listed=seen_listed,
        by=by,
    )


def adopt(pool: NumberPool, *, seen_listed: str | None = None, by: User | None = None) -> PoolVersion:
    """Take over Laaffic's settings as ours; nothing is sent."""
    with transaction.atomic():
        locked = NumberPool.objects.select_for_update().get(pk=pool.pk)
        _check_seen(locked, seen_listed)
        if locked.listed is None or locked.drifted_at is None:
            raise NotNow(_("There is no difference to take over."))
        _check_settled(locked)
        version = pool_state.add_version(locked, locked.listed, origin=Origin.ADOPTED, by=by)
        pool_state.take(version, listed_at=locked.listed_at or timezone.now())
        record(Act.CHANGED, pool, event=_("Laaffic's settings taken over"))
    return version


def _send(old: PoolConfig | None, config: PoolConfig, *, is_at_laaffic: bool) -> None:
    client = laaffic_client().numbers
    if old is None and is_at_laaffic:
        old = PoolConfig(config.pool_number, (), 0, ())
    if old is None:
        client.create_pool(
            pool_number=config.pool_number,
            whitelist=config.addresses,
            max_concurrency=config.max_concurrency,
            numbers=config.numbers,
        )
        return
    # An empty list may mean "none" or "as before" to Laaffic: it is sent only if numbers are to be removed.
    client.edit_pool(
        old_pool_number=old.pool_number,
        pool_number=config.pool_number,
        whitelist=config.addresses,
        max_concurrency=config.max_concurrency,
        numbers=config.numbers if config.numbers or old.numbers else None,
        held={*old.addresses, *old.numbers, *([] if old.addresses else [""])},
    )


def _check_typed(typed: str, pool_number: str) -> None:
    if typed.strip() != pool_number:
        raise ValidationError(
            {"typed": _("Type %(number)s, the number of the pool that is changed.") % {"number": pool_number}}
        )


def _check_ours(pool: NumberPool, seen_version: int | None) -> None:
    ours = pool.current
    if seen_version is not None and ours is not None and ours.pk != seen_version:
        raise NotNow(
            _("%(who)s has changed this pool in the meantime (version %(n)d). Look at the difference again.")
            % {"who": ours.created_by or _("Laaffic"), "n": ours.number}
        )


def _check_may_change(pool: NumberPool, config: PoolConfig) -> None:
    _check_settled(pool)
    if _is_taken(config.pool_number, pool):
        raise _taken(config.pool_number)
    if not difference(pool.listed, config):
        raise NotNow(_("Laaffic holds exactly this already: there is nothing to change."))


def _check_seen(pool: NumberPool, seen_listed: str | None) -> None:
    if seen_listed is not None and seen_listed != listed_as_shown(pool):
        raise Overtaken(
            _(
                "What Laaffic has differs from what was shown: it has been compared again since. "
                "Look at the difference again."
            )
        )


def _check_settled(pool: NumberPool) -> None:
    if version := pool_state.open_version(pool):
        raise NotNow(
            _(
                "What happened to version %(n)d (ledger row %(id)d, %(when)s) is not known yet. Synchronise: Laaffic’s "
                "list shows it within a minute. If it does not, say in the ledger what you know."
            )
            % {
                "n": version.number,
                "id": version.entry_id or 0,
                "when": dates.exact(version.created_at),
            }
        )


def _is_taken(pool_number: str, pool: NumberPool | None) -> bool:
    others = NumberPool.objects.filter(pool_number=pool_number, gone_at=None)
    if pool is not None:
        return others.exclude(pk=pool.pk).exists()
    return any(other.listed is not None or pool_state.is_open(other) for other in others)


def _taken(pool_number: str) -> ValidationError:
    said = _("There is a pool %(number)s already.") % {"number": pool_number}
    return ValidationError({"pool_number": ValidationError(said, code=TAKEN)})


def _summary(pool: NumberPool, version: PoolVersion) -> dict[str, object]:
    """The entry in the ledger: counts and names."""
    changed = difference(pool.listed, version.config)
    return {
        "pool": version.pool_number,
        "version": version.number,
        "numbers": len(version.numbers),
        "added": len(changed.added_numbers),
        "removed": len(changed.removed_numbers),
        "concurrency": version.max_concurrency,
    }


def _fresh(version: PoolVersion) -> PoolVersion:
    return PoolVersion.objects.select_related("entry", "pool").get(pk=version.pk)


def _explained(problem: LaafficError) -> ValidationError:
    match problem.code:
        case Code.EXISTS_ALREADY:
            return ValidationError(
                {"pool_number": _("Laaffic has a pool of this number already (−20). Synchronise to see it.")}
            )
        case Code.DOES_NOT_EXIST:
            return NotNow(_("Laaffic has no such pool any more (−24). Synchronise, then create it again."))
    return refused_values.error_of(problem, PARAMETERS)


def names_in(values: Sequence[str]) -> str:
    """The first few values, and how many more there are."""
    shown = ", ".join(values[:NAMED])
    return f"{shown} … (+{len(values) - NAMED})" if len(values) > NAMED else shown
