"""`make messages`: all texts of the console and of unfold into laaffic_console/locale, and translations compiled.

With the name of a language, scripts/messages.py pt_BR, a catalogue for it is begun.

Needs GNU gettext (apt-get install gettext). Nothing else does: the compiled catalogues are kept beside their sources.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")

import django  # noqa: E402 - the path first

django.setup()

import unfold  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.management.commands import makemessages  # noqa: E402

CONSOLE = ROOT / "laaffic_console" / "locale"
UNFOLD = CONSOLE / "unfold"  # unfold brings no catalogue itself
TRANSLATED = sorted({path.parent.parent.name for path in CONSOLE.glob("*/LC_MESSAGES/django.po")} | set(sys.argv[1:]))
NOT_OURS = ["tests/*", "scripts/*", "docs/*", "var/*", "build/*"]


class Gather(makemessages.Command):
    # A guess that nobody has checked is worse than a gap, which a test names.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]


def gather(sources: Path, catalogues: Path, ignored: list[str]) -> None:
    for locale in TRANSLATED:
        (catalogues / locale / "LC_MESSAGES").mkdir(parents=True, exist_ok=True)
    os.chdir(sources)
    settings.LOCALE_PATHS = [str(catalogues)]
    call_command(
        Gather(), locale=TRANSLATED, ignore_patterns=ignored, no_wrap=True, no_obsolete=True, add_location="file"
    )


def settle(catalogue: Path) -> None:
    """Remove the creation time, which would change a file with the same texts, and compile it."""
    text = catalogue.read_text()
    catalogue.write_text(re.sub(r'^"POT-Creation-Date: .*\n', "", text, flags=re.MULTILINE))
    subprocess.run(["msgfmt", "--check-format", "-o", catalogue.with_suffix(".mo"), catalogue], check=True)


def main() -> None:
    gather(ROOT, CONSOLE, NOT_OURS)
    gather(Path(unfold.__path__[0]), UNFOLD, [])
    for catalogue in sorted(CONSOLE.rglob("*.po")):
        settle(catalogue)


if __name__ == "__main__":
    main()
