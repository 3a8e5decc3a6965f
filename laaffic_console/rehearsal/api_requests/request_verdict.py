"""What clients of the API were answered, held against each other and against the ledger, key by key."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from laaffic_console.rehearsal.plan import Request
from laaffic_console.rehearsal.verdict import Entry

Answers = Mapping[str, Sequence[Mapping[str, Any]]]  # by key


def findings(
    asked: Sequence[Request],
    answers: Answers,
    ledger: Iterable[Entry],
    campaigns: Iterable[int],
    problems: Sequence[str] = (),
) -> dict[str, list[str]]:
    """All empty means that each key has one answer, however often it was asked for, and that the ledger has just that.

    `campaigns`: all that the console has.
    """
    messages: dict[int, dict[str, int]] = defaultdict(dict)
    for entry in ledger:
        messages[entry.campaign][entry.number] = entry.message
    return {
        "keys without an answer": [request.key for request in asked if not answers.get(request.key)],
        "keys whose answers differ": list(_different(answers)),
        "answers that the ledger does not bear out": list(_not_borne_out(asked, answers, messages)),
        "campaigns beside the answers": list(_beside(answers, campaigns)),
        "refused or failed": list(problems),
    }


def _different(answers: Answers) -> Iterator[str]:
    for key, given in answers.items():
        apart = sorted({json.dumps(answer, sort_keys=True) for answer in given})
        if len(apart) > 1:
            yield f"{key}: {len(apart)} different answers, such as {apart[0][:200]} and {apart[1][:200]}"


def _not_borne_out(asked: Sequence[Request], answers: Answers, messages: Mapping[int, dict[str, int]]) -> Iterator[str]:
    for request in asked:
        for answer in answers.get(request.key, ())[:1]:
            said = {message["number"]: message["id"] for message in answer["messages"]}
            if set(said) != set(request.numbers):
                yield f"{request.key}: asked for {len(request.numbers)} recipients, answered for {len(said)}"
            if messages.get(answer["campaign"]) != said:
                yield f"{request.key}: the ledger has other messages in campaign {answer['campaign']}"


def _beside(answers: Answers, campaigns: Iterable[int]) -> Iterator[str]:
    """A request that was done twice leaves a campaign that no answer names; two keys have none in common."""
    keys = defaultdict(set)
    for key, given in answers.items():
        for answer in given:
            keys[answer["campaign"]].add(key)
    yield from (f"campaign {pk}: no answer names it" for pk in sorted(set(campaigns) - set(keys)))
    yield from (f"campaign {pk}: {len(named)} keys" for pk, named in sorted(keys.items()) if len(named) > 1)
