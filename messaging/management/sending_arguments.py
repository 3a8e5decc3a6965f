"""What commands that make a draft take in the same words: its purpose, when it may reach people, a few first."""

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from laaffic_console.kit.process.commands import belongs
from laaffic_console.kit.words.planned_years import check_year
from messaging.management.named import calendar_named
from messaging.models import Campaign

GIVEN_BY = {"application": ["app"], "latest_end": ["not_after"]}  # fields of a draft, by the arguments' names


def add_purpose(create: ArgumentParser) -> None:
    purpose = create.add_mutually_exclusive_group()
    purpose.add_argument(
        "--transactional", action="store_true", help="what somebody waits for: no frequency cap stops it"
    )
    purpose.add_argument(
        "--marketing", action="store_true", help="only to people who have agreed, where the console asks for that"
    )


def purpose_of(options: dict[str, Any]) -> str:
    if options["transactional"]:
        return Campaign.Purpose.TRANSACTIONAL
    return Campaign.Purpose.MARKETING if options["marketing"] else Campaign.Purpose.UNSPECIFIED


def add_canary(create: ArgumentParser) -> None:
    create.add_argument("--canary", default="", metavar="N|N%", help="so many first; the rest by their reports")
    create.add_argument("--canary-wait", type=int, metavar="MINUTES", help="for their reports; else 15")
    create.add_argument("--canary-least", type=int, metavar="PERCENT", help="delivered, to go on; else 80")


def canary_of(options: dict[str, Any]) -> dict[str, Any]:
    """The fields of a draft."""
    belongs(options, "canary", ("canary_wait", "canary_least"))
    return {name: options[name] for name in ("canary", "canary_wait", "canary_least")}


def add_hours(create: ArgumentParser) -> None:
    create.add_argument("--calendar", metavar="NAME", help="when it may reach people (manage.py calendar list)")
    create.add_argument(
        "--not-after", default="", metavar="YYYY-MM-DD HH:MM", help="what has not left by then is held and asks"
    )


def hours_of(options: dict[str, Any]) -> dict[str, Any]:
    """The fields of a draft."""
    return {
        "calendar": calendar_named(options["calendar"]) if options["calendar"] else None,
        "latest_end": moment_of(options["not_after"], "--not-after"),
    }


def moment_of(text: str, argument: str) -> dt.datetime | None:
    """The moment that the argument names, in TIME_ZONE unless it says its own zone; CommandError if it is not one."""
    if not text:
        return None
    try:
        moment = parse_datetime(text) if ":" in text else None  # a day alone leaves open when
        if moment is None:
            raise ValueError(text)
        check_year(moment)
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    except ValueError as problem:
        raise CommandError(f"{argument} “{text}” is not a moment such as “2026-05-03 18:00”.") from problem
    except ValidationError as problem:
        raise CommandError(f"{argument}: {' '.join(problem.messages)}") from problem
