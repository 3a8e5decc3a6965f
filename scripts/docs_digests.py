"""Which translations in docs/ are of an older English text: a comment at the top of each names the text it is from.

scripts/docs_digests.py                       lists them, and ends with 1 if there are any
scripts/docs_digests.py --renew [FILE ...]    notes that these, or all, are up to date with the English
"""

import argparse
import hashlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
AT_THE_TOP = re.compile(r"\A<!-- Made from (\S+), sha256 ([0-9a-f]{16}) -->\n\n")


def translated() -> list[Path]:
    folders = [DOCS / path.name for path in (ROOT / "laaffic_console" / "locale").iterdir()]
    return sorted(path for folder in folders for path in folder.rglob("*.md"))


def english_of(translation: Path) -> Path:
    """The English of `docs/zh_Hans/contacts.md` is docs/contacts.md, of `docs/zh_Hans/root/README.md` README.md."""
    _language, *parts = translation.relative_to(DOCS).parts
    return ROOT.joinpath(*parts[1:]) if parts[0] == "root" else DOCS.joinpath(*parts)


def line_for(translation: Path) -> str:
    english = english_of(translation)
    digest = hashlib.sha256(english.read_bytes()).hexdigest()[:16]
    return f"<!-- Made from {english.relative_to(ROOT).as_posix()}, sha256 {digest} -->\n\n"


def is_current(translation: Path) -> bool:
    return translation.read_text(encoding="utf-8").startswith(line_for(translation))


def renew(translation: Path) -> None:
    text = AT_THE_TOP.sub("", translation.read_text(encoding="utf-8"))
    translation.write_text(line_for(translation) + text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renew", nargs="*", type=Path, metavar="FILE")
    renewed = parser.parse_args().renew
    for path in [] if renewed is None else renewed or translated():
        renew(path.resolve())
    old = [path for path in translated() if not is_current(path)]
    for path in old:
        print(f"{path.relative_to(ROOT)}: {english_of(path).relative_to(ROOT)} was changed; bring it in, then --renew")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
