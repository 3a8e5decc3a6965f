"""Reading what the gateway pushes: one object, a list, or `{"array": […]}` (laaffic-api#ambiguities 22)."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from laaffic_console.laaffic import times
from laaffic_console.laaffic.reports import DeliveryReport, MalformedReport, from_push


@dataclass(frozen=True, slots=True)
class ParsedPush:
    reports: list[DeliveryReport]
    problems: list[str]  # entries that are not reports, in words; they never cost the others


def parse_sms_reports(body: object, zone: ZoneInfo = times.DEFAULT_ZONE) -> ParsedPush:
    """Pushed reports; `zone` is of times that name none."""
    parsed = ParsedPush([], [])
    for entry in entries_of(body):
        try:
            parsed.reports.append(from_push(entry, zone))
        except MalformedReport as problem:
            parsed.problems.append(str(problem))
    return parsed


def entries_of(body: object) -> list[object]:
    if isinstance(body, dict):
        array = next((value for key, value in body.items() if str(key).strip() == "array"), None)
        return array if isinstance(array, list) else [body]
    return body if isinstance(body, list) else [body]
