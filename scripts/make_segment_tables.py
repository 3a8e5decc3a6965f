"""Write the browser's segment tables from messaging/text/segments.py, their only source."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "messaging" / "static" / "messaging" / "segment_tables.js"


def tables() -> str:
    sys.path.insert(0, str(ROOT))
    from messaging.text import merge_fields, segments

    data = {
        "basic": segments.BASIC,
        "extension": segments.EXTENSION,
        "replacements": segments.REPLACEMENTS,
        "capacity": {
            "gsm": segments.CAPACITY[segments.Encoding.GSM_7],
            "ucs": segments.CAPACITY[segments.Encoding.UCS_2],
        },
        "limit": segments.LIMIT_CHARACTERS,
        "field": merge_fields.FIELD,
    }
    note = "// Made by scripts/make_segment_tables.py from messaging/text/segments.py; a test holds both together.\n"
    return f"{note}const SEGMENT_TABLES = {json.dumps(data)};\n"


if __name__ == "__main__":
    TARGET.write_text(tables())
