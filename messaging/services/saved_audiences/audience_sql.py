"""Who is in an audience, in the database's words: the same for counting before a launch and for freezing after it.

Everything is asked by stretches of contact ids, so that no statement grows with the audience.
"""

from collections.abc import Sequence

from django.db import connection

from messaging.models import ConsentState, SuppressionEntry
from messaging.models.contacts import opt_outs_also_on
from messaging.services.saved_audiences.condition_sql import Rules

LOOKED_AT = 20_000  # contacts that one statement looks at for those who meet a condition
NO_RULES = Rules()
LARGEST_ID = 2**63 - 1


def suppressed(table: str, channels: Sequence[str]) -> tuple[str, list[str]]:
    """Whether the subscriber of `{table}.number` is on the list of one of these channels, with the parameters."""
    conditions, params = _suppressed(table, channels)
    return f"({' OR '.join(conditions)})", params


def not_suppressed(table: str, channels: Sequence[str]) -> tuple[str, list[str]]:
    """The contrary; PostgreSQL makes a join of each NOT EXISTS only where it stands by itself."""
    conditions, params = _suppressed(table, channels)
    return f"({' AND '.join(f'NOT {condition}' for condition in conditions)})", params


def _suppressed(table: str, channels: Sequence[str]) -> tuple[list[str], list[str]]:
    """(conditions, parameters): the number is listed, or another spelling if the list has any; one search each."""
    stops, params = _stops(channels)
    conditions = [f"EXISTS (SELECT 1 FROM messaging_suppressionentry s WHERE s.number = {table}.number AND {stops})"]
    if _any_other_spelling():
        conditions.append(
            "EXISTS (SELECT 1 FROM messaging_otherspelling o "
            "JOIN messaging_suppressionentry s ON s.number = o.suppressed "
            f"WHERE o.number = {table}.number AND {stops})"
        )
    return conditions, params * len(conditions)


def _stops(channels: Sequence[str]) -> tuple[str, list[str]]:
    """Whether the entry `s` stops one of these channels: the same as `SuppressionEntries.stopping`."""
    own = f"s.channel IN ({', '.join(['%s'] * len(channels))})"
    others = opt_outs_also_on(channels)
    if not others:
        return own, [*channels]
    marks = ", ".join(["%s"] * len(others))
    opted_out = f"(s.reason = %s AND s.channel IN ({marks}))"
    return f"({own} OR {opted_out})", [*channels, SuppressionEntry.Reason.OPT_OUT.value, *others]


def _any_other_spelling() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM messaging_otherspelling LIMIT 1")
        return cursor.fetchone() is not None


def has_consent(table: str, channel: str) -> tuple[str, list[str]]:
    """Whether the consent of `{table}.number` for the channel is given: each spelling has a row (contacts/consents)."""
    return (
        f"EXISTS (SELECT 1 FROM messaging_consent k WHERE k.number = {table}.number AND k.channel = %s "
        "AND k.state = %s)",
        [channel, ConsentState.GIVEN.value],
    )


def next_stretch(
    groups: Sequence[int], after: int, until: int, contacts: int, rules: Rules = NO_RULES
) -> tuple[int, int] | None:
    """(the id after which, the id up to which) at most so many contacts beyond `after` are in the groups, or meet the
    rules.

    None when nobody is left. With rules a stretch may hold nobody, where few meet them. It begins with its first
    member: those of a young group come after a million others, which PostgreSQL would read for the first chunk.
    """
    if rules:
        end = _end_by_rules(groups, after, until, contacts, rules)
        return None if end is None else (after, end)
    if not groups:
        return None
    first, params = _first_of(groups, after, until, contacts)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(contact_id), max(contact_id) FROM ({first}) AS c", params)
        begin, last = cursor.fetchone()
        return None if begin is None else (int(begin) - 1, int(last))


def _first_of(groups: Sequence[int], after: int, until: int, contacts: int) -> tuple[str, list[int]]:
    """The first contact ids beyond `after` of all these groups together.

    A limit for each group keeps every read on the index (group, contact), however large the groups are.
    """
    one = (
        "SELECT contact_id FROM (SELECT contact_id FROM messaging_groupmembership "
        "WHERE group_id = %s AND contact_id > %s AND contact_id <= %s ORDER BY contact_id LIMIT %s) AS g"
    )
    union = " UNION ".join([one] * len(groups))
    bounds = [value for group in groups for value in (group, after, until, contacts)]
    return f"SELECT contact_id FROM ({union}) AS u ORDER BY contact_id LIMIT %s", [*bounds, contacts]


def first_of(groups: Sequence[int], at_most: int) -> list[int]:
    """The ids of the first contacts of these groups, by one statement."""
    if not groups:
        return []
    first, params = _first_of(groups, 0, LARGEST_ID, at_most)
    with connection.cursor() as cursor:
        cursor.execute(first, params)
        return [pk for (pk,) in cursor.fetchall()]


def last_of(groups: Sequence[int]) -> int:
    """The id of the last contact in any of these groups, by one statement; 0 where they are empty."""
    if not groups:
        return 0
    one = (
        "SELECT contact_id FROM (SELECT contact_id FROM messaging_groupmembership "
        "WHERE group_id = %s ORDER BY contact_id DESC LIMIT 1) AS g"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(max(contact_id), 0) FROM ({' UNION ALL '.join([one] * len(groups))}) AS u", [*groups]
        )
        end: int = cursor.fetchone()[0]
        return end


def _end_by_rules(groups: Sequence[int], after: int, until: int, contacts: int, rules: Rules) -> int | None:
    """Looked for among the next contacts only: somebody who is rare would be looked for in all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(id) FROM (SELECT id FROM messaging_contact WHERE id > %s AND id <= %s "
            "ORDER BY id LIMIT %s) AS c",
            [after, until, LOOKED_AT],
        )
        end: int | None = cursor.fetchone()[0]
        if end is None:
            return None
        who, params = members(groups, after, end, None, rules)
        cursor.execute(
            f"SELECT count(*), max(id) FROM (SELECT c.id {who} ORDER BY c.id LIMIT %s) AS f", [*params, contacts]
        )
        found, last = cursor.fetchone()
    return int(last) if found == contacts else end


def members(
    groups: Sequence[int], after: int, upper: int, member_end: int | None = None, rules: Rules = NO_RULES
) -> tuple[str, list[int | str]]:
    """FROM and WHERE for the contacts `c` of these groups, or who meet the rules, in a stretch; with their parameters.

    `member_end`: the last membership that counts, where who joined later is left out.
    """
    ways: list[str] = []
    params: list[int | str] = []
    if groups or not rules:
        marks = ", ".join(["%s"] * len(groups)) or "0"
        joined, until = ("", []) if member_end is None else (" AND m.id <= %s", [member_end])
        ways.append(
            # Not EXISTS: SQLite would look at every contact between two members, who may be a million ids apart.
            "c.id IN (SELECT m.contact_id FROM messaging_groupmembership m "
            # Said twice: PostgreSQL would else hash a million memberships for each stretch.
            f"WHERE m.group_id IN ({marks}) AND m.contact_id > %s AND m.contact_id <= %s{joined})"
        )
        params += [*groups, after, upper, *until]
    if rules:
        meets, values = rules.sql(after, upper)
        ways.append(meets)
        params += values
    found = ways[0] if len(ways) == 1 else f"({' OR '.join(ways)})"
    return f"FROM messaging_contact c WHERE c.id > %s AND c.id <= %s AND {found}", [after, upper, *params]


def meeting(rules: Rules, after: int, upper: int, at_most: int) -> list[int]:
    """The ids of the first contacts of a stretch who meet the rules."""
    who, params = members((), after, upper, None, rules)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.id {who} ORDER BY c.id LIMIT %s", [*params, at_most])
        return [pk for (pk,) in cursor.fetchall()]


def meeting_among(rules: Rules, ids: Sequence[int]) -> set[int]:
    """The ids of these contacts (only a few) who meet the rules."""
    if not rules or not ids:
        return set()
    meets, params = rules.sql(min(ids) - 1, max(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id FROM messaging_contact c WHERE c.id IN ({', '.join(['%s'] * len(ids))}) AND {meets}",
            [*ids, *params],
        )
        return {pk for (pk,) in cursor.fetchall()}


def last_contact() -> int:
    """Its id; 0 where there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM messaging_contact")
        end: int = cursor.fetchone()[0]
        return end


def not_excluded(groups: Sequence[int], after: int, upper: int) -> tuple[str, list[int]]:
    """The condition that `c` is in none of these groups."""
    if not groups:
        return "TRUE", []
    marks = ", ".join(["%s"] * len(groups))
    return (
        "NOT EXISTS (SELECT 1 FROM messaging_groupmembership x "
        f"WHERE x.contact_id = c.id AND x.contact_id > %s AND x.contact_id <= %s AND x.group_id IN ({marks}))",
        [after, upper, *groups],
    )
