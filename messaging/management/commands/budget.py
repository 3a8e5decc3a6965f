"""The command `budget`: limits of an application for a day or a month."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.kit.words.figures import in_percent
from laaffic_console.kit.words.plain_text import capitals
from messaging.management.named import application_named
from messaging.models import Budget
from messaging.services.budgets import budgets
from messaging.services.budgets.budgets import Standing

PLACES = 6  # decimals of an amount


class Command(ConsoleCommand):
    help = "Set and list what an application's campaigns may send or spend in a day or a month."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        setting = verbs.add_parser("set", help="a limit of messages, of money, or of both; the last word counts")
        setting.add_argument("--app", required=True, metavar="APPID")
        setting.add_argument("--per", choices=Budget.Per.values, default=Budget.Per.DAY.value)
        setting.add_argument("--messages", metavar="N")
        setting.add_argument("--cost", metavar="N")
        setting.add_argument("--currency", default="", metavar="C", help="of the cost, for example USD")
        setting.add_argument("--json", action="store_true")
        listing = verbs.add_parser("list", help="each budget, and what has gone of it in the period of today")
        listing.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "set":
            self.put(options)
        found = budgets.standings(application_named(options["app"]) if options["verb"] == "set" else None)
        document = {"budgets": [row(standing) for standing in found]}
        self.stdout.write(json.dumps(document) if options["json"] else as_text(document["budgets"]))

    def put(self, options: dict[str, Any]) -> None:
        application = application_named(options["app"])
        limits = wanted(options)
        try:
            with transaction.atomic():
                for currency, limit in limits.items():
                    budgets.put(application, per=options["per"], limit=limit, currency=currency)
        except ValidationError as problem:
            raise self.refused(problem, limit="cost" if currency else "messages") from problem


def wanted(options: dict[str, Any]) -> dict[str, Decimal]:
    """{currency, or "" for messages: limit}"""
    if options["cost"] is not None and not options["currency"]:
        raise CommandError("Name the currency of the cost too, for example --currency USD.")
    if options["currency"] and options["cost"] is None:
        raise CommandError("A currency needs an amount: --cost N.")
    given = {"": options["messages"], capitals(options["currency"]): options["cost"]}
    if options["cost"] is None:
        given = {"": options["messages"]}
    limits = {currency: number(text) for currency, text in given.items() if text is not None}
    if not limits:
        raise CommandError("Say how much: --messages N, or --cost N --currency C, or both.")
    return limits


def number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation as problem:
        raise CommandError(f"“{text}” is not a number. Write digits, for example 1000 or 12.50.") from problem
    if not value.is_finite():
        raise CommandError(f"“{text}” is not a number. Write digits, for example 1000 or 12.50.")
    if -int(value.normalize().as_tuple().exponent) > PLACES:
        raise CommandError(f"“{text}” is finer than a budget counts. Write at most six decimals, for example 12.50.")
    return value


def row(standing: Standing) -> dict[str, Any]:
    budget, counter = standing.budget, standing.counter
    plain = "{:f}".format
    return {
        "app_id": budget.application.app_id,
        "per": budget.per,
        "currency": budget.currency,
        "limit": plain(budget.limit.normalize()),
        "used": plain(standing.used.normalize()),
        "left": plain(standing.left.normalize()),
        "percent": standing.percent,
        "from": counter.starts_on.isoformat(),
        "lifted": counter.lifted_at is not None,
    }


def as_text(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "There is no budget: campaigns send without one. Set one: manage.py budget set --app APPID --messages N"
    return "\n".join(_line(one) for one in rows)


def _line(row: dict[str, Any]) -> str:
    unit, lifted = row["currency"] or "messages", "\tlifted" if row["lifted"] else ""
    share = in_percent(row["percent"]) if Decimal(row["used"]) <= Decimal(row["limit"]) else "more than all of it"
    gone = f"{row['used']} of {row['limit']} {unit}\t{share}"
    return f"{row['app_id']}\t{row['per']}\t{gone}{lifted}"
