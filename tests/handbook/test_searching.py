"""Search in the help: by how words begin, best first, with the words marked and nothing unescaped."""

import re

import pytest
from django.test import Client

from laaffic_console.handbook import pages, searching


def addresses(asked: str) -> list[str]:
    return [hit.address for hit in searching.find(asked)]


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("consent", "/admin/help/contacts/#consent"),
        ("second factors", "/admin/help/identity/#second-factors"),
        ("LAAFFIC_UNDO_SECONDS", "/admin/help/settings/#sending"),
        ("backups", "/admin/help/keeping/#backup"),
        ("suppressed", "/admin/help/"),
        ("How do I take an import back?", "/admin/help/contacts/#whom-an-import"),
    ],
)
def test_what_is_looked_for_is_among_the_first(asked: str, leads_to: str) -> None:
    assert any(address.startswith(leads_to) for address in addresses(asked)[:5])


def test_every_word_has_to_stand_there() -> None:
    both = addresses("passkey authenticator")

    assert both
    assert set(both) <= set(addresses("passkey"))
    assert addresses("passkey zebrafish") == []


@pytest.mark.parametrize("asked", ["", "  ", "!?", "\N{SNOWMAN}", "x" * 5000])
def test_what_says_nothing_finds_nothing(asked: str) -> None:
    assert addresses(asked) == []


def test_of_a_section_only_the_best_paragraph_is_shown() -> None:
    found = addresses("campaign")

    assert len(found) == len(set(found)) == searching.MOST


def test_the_words_are_marked_and_the_rest_is_escaped() -> None:
    [snippet] = [hit.snippet for hit in searching.find("merge field") if hit.address == pages.address("glossary")][:1]

    assert "<mark>merge</mark> <mark>field</mark>" in snippet
    assert searching._marked("a <b> & more", re.compile("more")) == "a &lt;b&gt; &amp; <mark>more</mark>"


def test_the_page_says_what_to_do_when_nothing_is_found(admin_client: Client) -> None:
    found = admin_client.get("/admin/help/", {"q": "consent"}).content.decode()
    nothing = admin_client.get("/admin/help/", {"q": '"><script>alert(1)</script>'}).content.decode()

    assert "<mark>consent</mark>" in found
    assert "Try fewer words" in nothing
    assert "<script>alert(1)" not in nothing
