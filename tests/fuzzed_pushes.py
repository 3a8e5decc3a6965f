"""Bodies that a hostile or broken gateway could push: the same ones for the same seed.

    .venv/bin/python -m tests.fuzzed_pushes [--bodies 10000] [--seed 1]

makes a database of its own beside the configured one, pushes them to the four hooks, applies them to the end, and
says what became of each: exit 1 where one was answered with an error of ours, is lost, or stalls an inbox.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

KINDS = ("sms-report", "sms-reply", "voice-report", "email-report")
KEYS = {
    "sms-report": ["msgid", "mobile", "status", "orderId", "reason", "timestamp", "appId", "pricedetail", "mcc"],
    "sms-reply": ["msgid", "mobile", "content", "reply_time", "sendid", "operator", "pricedetail", "mcn"],
    "voice-report": [
        *("voiceId", "type", "callee", "calledInfo", "terminationCode", "callStatus", "submitTime", "callTime"),
        *("answerTime", "hangupTime", "callDuration", "cost", "currency", "outRecallCount", "taskId", "feedbackValue"),
    ],
    "email-report": ["taskId", "emailId", "toAddress", "emailState", "remark"],
}
NEEDED = {"sms-report": ["msgid", "status"], "sms-reply": ["mobile", "content"], "voice-report": ["voiceId"]}
TEXTS = [
    *("", " ", "0", "-1", "1", "STOP", "stop ", "DELIVRD", "success", "失败", "lc-1", "lc-2", "lc-999999", "lc-0"),
    *("\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202e", "İ", "İ@x.example", "a,b", "a@b.example", "A@B.EXAMPLE"),
    *("919876500001", "+91 98765 00001", "0091-9876500001", "9876500001", "9" * 25, "9" * 300, "٩٨٧", "1e5"),
    *("9999-12-31", "9999-12-31 23:59:59", "0001-01-01T00:00:00+14:00", "2026-02-30", "20261332256199", "1767268800"),
    *("NaN", "Infinity", "-Infinity", "1e999999", "0,0080", "USD 0.0080", "-999999999", "999999999", "0x10", "²"),
    *("x" * 41, "x" * 5000, "é" * 300, "'; DROP TABLE", "{{7*7}}", "=cmd|' /C calc'!A0", "null", "true", "[]"),
]
NUMBERS = [
    *(0, -0.0, 1, -1, 2, 7, 0.5, 1e308, -1e308, 5e-324, 10**18, 10**40, -(10**40), 2**31, 2**63, 2**64, 32768),
    *(1767268800, 1767268800000, 99_999_999_999_999, float("nan"), float("inf"), float("-inf"), True, False, None),
]


def bodies(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """(kind, raw body); every one is JSON to Python's reader, or nearly."""
    dice = random.Random(seed)
    for _ in range(count):
        kind = dice.choice(KINDS)
        yield kind, _raw(dice, kind)


def _raw(dice: random.Random, kind: str) -> bytes:
    odd = dice.random()
    if odd < 0.03:
        return _deep(dice)
    if odd < 0.06:
        return json.dumps(_value(dice)).encode()
    entries = [_entry(dice, kind) for _ in range(dice.choice([0, 1, 1, 1, 2, 3, 8, 30]))]
    body: Any = dice.choice([entries, {"array": entries}, entries[0] if entries else {}, {" array ": entries}])
    raw = json.dumps(body, ensure_ascii=dice.random() < 0.8).encode(errors="surrogatepass")
    if odd < 0.09:
        cut = dice.randrange(len(raw) + 1)
        return raw[:cut] + bytes([dice.randrange(256)]) + raw[cut + 1 :]
    return raw


def _deep(dice: random.Random) -> bytes:
    depth = dice.choice([10, 200, 900, 990, 5000, 100_000])
    return dice.choice(
        [b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth, b"[" + b"9" * depth + b"]"]
    )


def _entry(dice: random.Random, kind: str) -> Any:
    if dice.random() < 0.04:
        return _value(dice)
    entry = {_key(dice, key): _value(dice) for key in KEYS[kind] if dice.random() < 0.7}
    for key in NEEDED.get(kind, ["emailId", "toAddress"]):
        if dice.random() < 0.8:
            entry.setdefault(key, dice.choice(TEXTS))
    return entry


def _key(dice: random.Random, key: str) -> str:
    return dice.choice([key] * 8 + [f"{key} ", key.upper(), f" {key}"])


def _value(dice: random.Random, depth: int = 0) -> Any:
    what = dice.random()
    if what < 0.6:
        return dice.choice(TEXTS)
    if what < 0.9 or depth > 3:
        return dice.choice(NUMBERS)
    if what < 0.95:
        return [_value(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {dice.choice(["pay", "price", "currency", "chargeCnt", "a"]): _value(dice, depth + 1) for _ in range(3)}


@dataclass(slots=True)
class Verdict:
    answers: Counter[int] = field(default_factory=Counter)
    stored: int = 0
    waiting: int = 0  # not applied at the end: an inbox stalled
    failed: int = 0  # bodies with an entry that is marked with its problem
    unaccounted: int = 0  # applied, with fewer entries than were read
    orphans: int = 0

    @property
    def is_clean(self) -> bool:
        taken = self.answers[200] == self.stored
        return taken and not self.waiting and not self.unaccounted and not any(code >= 500 for code in self.answers)


def play(seed: int, count: int, token: str) -> Verdict:
    """Push them all, apply them to the end, and count; on the database that is configured, for tests an empty one."""
    from django.test import Client

    from laaffic_console.gateway.models import OrphanReport, PushedBody

    verdict = Verdict()
    client = Client(raise_request_exception=False)
    before = PushedBody.objects.count()
    for kind, raw in bodies(seed, count):
        answer = client.post(f"/hooks/{token}/{kind}/", raw, content_type="application/json")
        verdict.answers[answer.status_code] += 1
    apply_to_the_end()
    verdict.stored = PushedBody.objects.count() - before
    verdict.waiting = PushedBody.objects.filter(applied_at=None).count()
    verdict.failed = PushedBody.objects.filter(failed__gt=0).count()
    verdict.orphans = OrphanReport.objects.count()
    verdict.unaccounted = sum(map(_is_unaccounted, PushedBody.objects.exclude(applied_at=None).iterator(500)))
    return verdict


def apply_to_the_end(rounds: int = 1000) -> None:
    from messaging.services.email import callbacks as email_callbacks
    from messaging.services.replies import reply_pushes
    from messaging.services.reports import report_pushes
    from voice.services.records import pushes

    for drained in (report_pushes.INBOX, reply_pushes.INBOX, pushes.INBOX, email_callbacks.INBOX):
        for _round in range(rounds):
            if not drained.apply_some():
                break
        drained.retry_orphans()


def _is_unaccounted(body: Any) -> bool:
    return not body.problems and body.position != body.entries


def main() -> None:
    import argparse
    import os
    import sys
    import time

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    import logging

    import django
    from django.conf import settings
    from django.db import connection
    from django.test.utils import setup_test_environment

    django.setup()
    setup_test_environment()
    logging.disable(logging.CRITICAL)
    token = "a-token-of-the-fuzzer"
    settings.LAAFFIC_PUSH_TOKENS, settings.LAAFFIC_PUSH_SOURCES = [token], []
    before = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        began = time.monotonic()
        verdict = play(options.seed, options.bodies, token)
        sys.stdout.write(f"{connection.vendor}, seed {options.seed}, {time.monotonic() - began:.0f} s: {verdict}\n")
    finally:
        connection.creation.destroy_test_db(before or connection.settings_dict["NAME"], verbosity=0)
    sys.exit(0 if verdict.is_clean else 1)


if __name__ == "__main__":
    main()
