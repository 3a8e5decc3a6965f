"""Which browser the scripts drive: Debian's, as the tests do."""

import shutil
import sys

NAMES = ("chromium", "chromium-headless-shell")


def chromium() -> str:
    """The path of the first that is installed; ends the script with a sentence where none is."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        sys.exit("No Chromium was found. Install Debian's: apt-get install chromium-headless-shell")
    return found
