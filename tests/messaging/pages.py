"""What a page's forms would post, as a browser does."""

import re

from django.test import Client

HIDDEN = re.compile(r'<input type="hidden" name="(shown|approval|digest|seen|agreed)" value="([^"]*)">')


def hidden(client: Client, address: str) -> dict[str, str]:
    """{name: value} of what a page before a launch says that it has shown, or one on what is unknown."""
    return dict(HIDDEN.findall(client.get(address).content.decode()))
