"""A condition (messaging/conditions/conditions.py) in the database's words, for the contacts `c` of a stretch of ids.

Each test is a column, or one search in an index for each contact, and is true or false, never NULL. What looks into
messages and replies is a scalar subquery: of EXISTS PostgreSQL would make a join that reads all messages ever sent.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from messaging.conditions.conditions import (
    ADDED,
    ATTRIBUTE,
    IMPORTED,
    Condition,
    Contains,
    Contrary,
    Either,
    Every,
    Happened,
    InCampaign,
    InGroup,
    IsSet,
    Never,
    OneOf,
    Replied,
)
from messaging.models import MessageState, SuppressionEntry

Sql = tuple[str, list[int | str]]
FAILED = (MessageState.REJECTED, MessageState.EXPIRED, MessageState.UNDELIVERED)

# When something last happened, by the number of the contact.
_OF_MESSAGES = (
    "(SELECT max(coalesce(h.reported_at, h.settled_at)) FROM messaging_message h "
    "WHERE h.number = c.number AND h.state IN ({states}))"
)
LAST = {
    "last_delivered": _OF_MESSAGES.format(states=int(MessageState.DELIVERED)),
    "last_failed": _OF_MESSAGES.format(states=", ".join(str(int(state)) for state in FAILED)),
    "last_replied": "(SELECT max(h.at) FROM messaging_reply h WHERE h.number = c.number)",
    "last_opted_out": (
        "(SELECT max(h.created_at) FROM messaging_suppressionentry h "
        f"WHERE h.number = c.number AND h.reason = '{SuppressionEntry.Reason.OPT_OUT.value}')"
    ),
    ADDED: "c.created_at",
    IMPORTED: "(CASE WHEN c.imported_by_id IS NULL THEN NULL ELSE c.created_at END)",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The conditions that contacts may meet to be in an audience: one of them is enough.

    `now`: what “30 days ago” counts from. `member_end`: the last membership that counts; None: all do.
    """

    conditions: tuple[Condition, ...] = ()
    now: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    member_end: int | None = None

    def __bool__(self) -> bool:
        return bool(self.conditions)

    def sql(self, after: int, upper: int) -> Sql:
        """True for the contacts `c` of this stretch who meet one of the conditions."""
        return _joined(" OR ", [_Stretch(self, after, upper).of(condition) for condition in self.conditions])


def _joined(word: str, parts: list[Sql]) -> Sql:
    return f"({word.join(sql for sql, _params in parts)})", [value for _sql, params in parts for value in params]


@dataclass(frozen=True, slots=True)
class _Stretch:
    rules: Rules
    after: int
    upper: int

    def of(self, condition: Condition) -> Sql:
        match condition:
            case Every():
                return _joined(" AND ", [self.of(part) for part in condition.parts])
            case Either():
                return _joined(" OR ", [self.of(part) for part in condition.parts])
            case Contrary():
                sql, params = self.of(condition.part)
                return f"(NOT {sql})", params
            case OneOf():
                sql, params = _field(condition.field)
                return f"({sql} IN ({', '.join(['%s'] * len(condition.values))}))", [*params, *condition.values]
            case Contains():
                sql, params = _field(condition.field)
                return f"({'strpos' if _on_postgres() else 'instr'}({sql}, %s) > 0)", [*params, condition.value]
            case IsSet():
                sql, params = _field(condition.field)
                return f"({sql} <> '')", params
            case InGroup():
                return self._in_group(condition)
            case InCampaign():
                found = "SELECT 1 FROM messaging_message h WHERE h.number = c.number AND h.campaign_id = %s LIMIT 1"
                return f"(({found}) IS NOT NULL)", [condition.campaign]
            case Replied():
                # `+` forces the index of numbers: SQLite would else read all replies to the campaign for each contact.
                found = "SELECT 1 FROM messaging_reply h WHERE h.number = c.number AND +h.campaign_id = %s LIMIT 1"
                return f"(({found}) IS NOT NULL)", [condition.campaign]
            case Never():
                return f"({LAST[condition.what]} IS NULL)", []
            case Happened():
                sign = "<" if condition.before else ">="
                return f"coalesce({LAST[condition.what]} {sign} %s, FALSE)", [_moment(condition, self.rules.now)]

    def _in_group(self, condition: InGroup) -> Sql:
        joined, until = ("", []) if self.rules.member_end is None else (" AND m.id <= %s", [self.rules.member_end])
        return (
            "(EXISTS (SELECT 1 FROM messaging_groupmembership m WHERE m.contact_id = c.id "
            f"AND m.contact_id > %s AND m.contact_id <= %s AND m.group_id = %s{joined}))",
            [self.after, self.upper, condition.group, *until],
        )


def _on_postgres() -> bool:
    return connection.vendor == "postgresql"


def _field(field: str) -> Sql:
    """SQL for a contact's field as text; "" if the contact has none."""
    if not field.startswith(ATTRIBUTE):
        return ("c.country" if field == "country" else "lower(c.language)"), []
    name = field.removeprefix(ATTRIBUTE)
    if _on_postgres():
        return "coalesce(c.attributes ->> %s::text, '')", [name]
    return "coalesce(CAST(json_extract(c.attributes, %s) AS TEXT), '')", [f'$."{name}"']


def _moment(condition: Happened, now: dt.datetime) -> str:
    moment = condition.moment(now)
    return moment.isoformat() if _on_postgres() else str(connection.ops.adapt_datetimefield_value(moment))
