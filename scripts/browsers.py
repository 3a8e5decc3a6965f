"""The browser that the scripts drive: Debian's, as in the tests."""

import shutil
import sys

NAMES = ("chromium", "chromium-headless-shell")


def chromium() -> str:
    """The path of the first browser that is installed; ends the script with a sentence if there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        sys.exit("No Chromium was found. Install Debian's: apt-get install chromium-headless-shell")
    return found
