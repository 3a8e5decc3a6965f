"""A rehearsal's outcome as a document, as text and as Markdown; each is made of the one before."""

from collections.abc import Mapping
from typing import Any

from laaffic_console.rehearsal.verdict import Verdict

SHOWN = 20


def document(
    *,
    command: str,
    setting: dict[str, Any],
    strikes: dict[str, int],
    calls: dict[str, int],
    counts: dict[str, int],
    settled_by: dict[str, int],
    verdict: Verdict,
    proved: list[str],
    failures: list[str],
    seconds: dict[str, float],
    requests: Mapping[str, int] | None = None,
    of_requests: Mapping[str, list[str]] | None = None,
    more: Mapping[str, list[str]] | None = None,
) -> dict[str, Any]:
    """`requests`: how often clients asked, and what they got; `of_requests`: what is wrong with that.

    `more`: what is wrong with what else was rehearsed, such as the few first.
    """
    findings = {**verdict.findings(), **(of_requests or {}), **(more or {})}
    return {
        "agrees": not any(findings.values()) and not proved and not failures,
        "command": command,
        "setting": setting,
        "strikes": strikes,
        "requests": dict(requests or {}),
        "calls": calls,
        "counts": counts,
        "settled by": settled_by,
        "findings": {name: len(found) for name, found in findings.items()},
        "disagreements": [
            *(f"{name}: {each}" for name, found in findings.items() for each in found[:SHOWN]),
            *(f"campaign prove: {sentence}" for sentence in proved[:SHOWN]),
            *failures,
        ],
        "written off": verdict.written_off,
        "seconds": seconds,
    }


def sections(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("Setting", found["setting"]),
        ("Struck", found["strikes"]),
        *([("Requests of clients", found["requests"])] if found["requests"] else []),
        ("Calls, by how they ended", found["calls"]),
        ("Messages, by how they ended", {state: n for state, n in found["counts"].items() if n}),
        ("Unknown messages, by what settled them", found["settled by"]),
        ("Gateway against ledger", {**found["findings"], "campaign prove": verdict_of_prove(found)}),
        ("Seconds", found["seconds"]),
    ]


def verdict_of_prove(found: dict[str, Any]) -> str:
    said = sum(sentence.startswith("campaign prove:") for sentence in found["disagreements"])
    return f"{said} disagreements" if said else "no disagreement"


def as_text(found: dict[str, Any]) -> str:
    lines = []
    for title, rows in sections(found):
        width = max((len(name) for name in rows), default=0)
        lines += [title, *(f"  {name:<{width}}  {shown(value)}" for name, value in rows.items()), ""]
    lines += [conclusion(found), *(f"  {each}" for each in found["disagreements"])]
    return "\n".join(lines)


def as_markdown(found: dict[str, Any]) -> str:
    lines = [f"**{conclusion(found)}**", "", "```", found["command"], "```", "", "| | |", "|---|---|"]
    for title, rows in sections(found):
        lines.append(f"| **{title}** | |")
        lines += [f"| {name} | {shown(value)} |" for name, value in rows.items()]
    lines += ["", *(f"- {each}" for each in found["disagreements"])]
    return "\n".join(lines).rstrip() + "\n"


def conclusion(found: dict[str, Any]) -> str:
    recipients, strikes = found["setting"]["recipients"], sum(found["strikes"].values())
    if found["agrees"]:
        return f"{recipients:,} recipients, {strikes} strikes: nothing twice, nothing lost, every figure agrees."
    return f"{recipients:,} recipients, {strikes} strikes: {len(found['disagreements'])} disagreements or more."


def shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
