"""Messages from a script: a campaign like any other, launched at once, whose messages are known when it answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.api.handling import problems
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.gateway.models import Application
from laaffic_console.kit.sql.constant_sql import Given, Select
from messaging import msisdn
from messaging.models import Campaign, CampaignState, Message
from messaging.services.campaigns import drafts, starting
from messaging.services.contacts import pastes
from messaging.services.figures import campaign_report
from messaging.services.refusals import NotApproved, StillCounting
from messaging.text import merge_fields


def _number(text: str) -> str:
    return msisdn.parse(text).number


def read_numbers(texts: Sequence[str], read: Callable[[str], str] = _number) -> tuple[list[str], list[dict[str, Any]]]:
    """The valid numbers, and the invalid ones as {position, reason}."""
    numbers, invalid = [], []
    for position, text in enumerate(texts):
        try:
            numbers.append(read(text))
        except msisdn.InvalidNumber as problem:
            invalid.append({"position": position, "reason": str(problem)})
    return numbers, invalid


def require_numbers(texts: Sequence[str]) -> list[str]:
    """All the numbers of “to”; Problem if one of them is invalid."""
    numbers, invalid = read_numbers(texts)
    if invalid:
        first = invalid[0]
        said = _("Number %(n)d of “to” is invalid: %(why)s") % {"n": first["position"] + 1, "why": first["reason"]}
        raise problems.at("to", said, invalid=invalid)
    return numbers


def to_numbers(numbers: Sequence[str], by: User) -> dict[str, Any]:
    """The fields of a draft that hold these numbers: a few in the draft itself, more in rows of their own."""
    if len(numbers) <= drafts.MAX_EXTRA_NUMBERS:
        return {"numbers": numbers}
    return {"paste": pastes.from_lines(numbers, by=by)}


def text_of(asked: Mapping[str, Any]) -> str:
    """The text to send: “template” filled in with “values”, or “text”, whose fields each contact fills in."""
    if "template" not in asked:
        return str(asked["text"])
    values: dict[str, str] = asked.get("values", {})
    if bad := [name for name, value in values.items() if "{{" in value or "}}" in value]:
        said = _("The value of “%(name)s” holds {{ or }}. Write it without them.")
        raise problems.at("values", said % {"name": bad[0]})
    try:
        template = merge_fields.parse(asked["template"])
    except merge_fields.MergeError as problem:
        raise problems.at("template", str(problem)) from problem
    if missing := [name for name in template.fields_without_fallback if name not in values]:
        said = _("“values” has no %(name)s. Give it, or a text to use instead: %(example)s")
        raise problems.at("values", said % {"name": missing[0], "example": "{{" + missing[0] + "|…}}"})
    filled_in = merge_fields.render(template, values)
    if _is_field(filled_in):
        raise problems.at(
            "values", _("Side by side, these values make a field with {{ and }}. Write them without braces.")
        )
    return filled_in


def _is_field(text: str) -> bool:
    """Whether something of a contact would be filled in, which the template did not ask for."""
    try:
        return bool(merge_fields.fields(text))
    except merge_fields.MergeError:
        return True


def send(asked: Mapping[str, Any], application: Application, numbers: Sequence[str], by: User) -> Answer:
    """Make a draft, launch it and freeze it, within the transaction that keeps the answer."""
    name = asked.get("name") or _("API %(when)s") % {"when": timezone.localtime().strftime("%Y-%m-%d %H:%M:%S")}
    draft = drafts.create(
        name=name,
        application=application,
        sender_id=asked["sender_id"],
        text=text_of(asked),
        kind=Campaign.Kind.QUICK,
        purpose=asked["purpose"],
        by=by,
        is_noted=False,
        **to_numbers(numbers, by),
    )
    try:
        made = starting.launch_new(draft, by=by)
    except (NotApproved, StillCounting) as problem:
        # The draft stays, so that it can be approved and launched later.
        said = _(
            "%(why)s The draft is kept as campaign %(id)s: GET …/check says what it lacks, POST …/approval/ask asks a "
            "second person. Then launch that one."
        )
        more = {"campaign": draft.pk, "state": CampaignState.DRAFT.value}
        return Answer(409, problems.document(409, said % {"why": problem, "id": draft.pk}, **more))
    left_out = campaign_report.left_out(draft)
    return Answer(202, {"id": draft.pk, "campaign": draft.pk, "state": draft.state, "left_out": left_out}, made)


def messages_of(answer: Answer) -> list[dict[str, Any]]:
    if answer.made is not None:
        return [{"number": message.number, "id": message.pk} for message in answer.made]
    rows = _messages.rows(campaign=answer.body["campaign"])
    return [{"number": number, "id": pk} for number, pk in rows]


MOST = 10_000


@Select
def _messages() -> "QuerySet[Message, Any]":
    return Message.objects.filter(campaign=Given("campaign")).order_by("pk").values_list("number", "pk")[:MOST]
