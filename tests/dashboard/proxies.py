"""Which addresses the proxies of deploy/ let a large body through to."""

import re
from pathlib import Path

from laaffic_console.conf import BASE_DIR

FILES = ("nginx.conf", "proxy.conf")
SMALL = ("/admin/messaging/listprice/",)  # files with a line a country


def stopped(address: str) -> list[str]:
    """The proxies that would refuse a file of any size at this address."""
    return [name for name in FILES if not re.search(_large(name), address) and not address.startswith(SMALL)]


def _large(name: str) -> str:
    found = re.search(r"location ~ (\^/\(admin/\S+) {", Path(BASE_DIR, "deploy", name).read_text())
    assert found
    return found[1]
