"""The goal of each measurement, printed beside it and gathered in a table: `make bench`.

BENCH_TABLE=build/bench.jsonl .venv/bin/python scripts/bench.py …      each goal is also written there, one per line
.venv/bin/python scripts/goal_table.py build/bench.jsonl                    prints the table of what was written
"""

import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path


def held(database: str, work: str, found: Sequence[float], goal: float, *, at_most: bool = False) -> str:
    """The goal and whether `found`'s median meets it, to print after the figure; also kept for the table."""
    middle = statistics.median(found)
    is_met = middle <= goal if at_most else middle >= goal
    if table := os.environ.get("BENCH_TABLE"):
        spread = [min(found), max(found)]
        row = {"database": database, "work": work, "found": middle, "spread": spread, "goal": goal, "at_most": at_most}
        with Path(table).open("a", encoding="utf-8") as file:
            file.write(json.dumps({**row, "is_met": is_met}) + "\n")
    return f"{'at most' if at_most else 'to reach'} {_said(goal)}: {'met' if is_met else 'NOT MET'}"


def _said(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 20 else f"{figure:.2f}"


def main() -> int:
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    print("| work | database | median (range) | goal | |\n|---|---|---|---|---|")
    for row in rows:
        least, most = row["spread"]
        spread = "" if least == most else f" ({_said(least)}–{_said(most)})"
        goal = f"{'≤' if row['at_most'] else '≥'} {_said(row['goal'])}"
        is_met = "met" if row["is_met"] else "**not met**"
        print(f"| {row['work']} | {row['database']} | {_said(row['found'])}{spread} | {goal} | {is_met} |")
    print(f"\n{sum(row['is_met'] for row in rows)} of {len(rows)} goals are met.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
