"""docs/ inside the console: every page, its anchors, its links and pictures, for whoever is signed in."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from laaffic_console.conf import BASE_DIR
from laaffic_console.handbook import markdown, pages

TITLES = re.compile(r"^#+ (.+)$", re.MULTILINE)


@pytest.fixture
def clerk(client: Client, db: None) -> Client:
    """Somebody of the staff who has no role."""
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    return client


def listings_out(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def test_every_text_of_docs_is_a_page() -> None:
    wanted = {path.relative_to(BASE_DIR / "docs").as_posix() for path in (BASE_DIR / "docs").rglob("*.md")}
    translated = {path for language in pages.languages() for path in pages.translations(language).values()}

    paths = {*pages.names().values(), *translated}
    served = {path.removeprefix("docs/") for path in paths if path.startswith("docs/")}

    assert served == wanted
    assert len(set(pages.names())) == len(pages.names().values())


@pytest.mark.parametrize("name", pages.names())
def test_its_headings_have_the_anchors_that_links_to_them_use(name: str) -> None:
    text = listings_out((pages.TEXTS / pages.names()[name]).read_text())

    wanted = {markdown.anchor_of(title) for title in TITLES.findall(text)}

    assert wanted <= pages.anchors(name)


@pytest.mark.parametrize("name", pages.names())
def test_it_links_only_to_pages_and_headings_that_there_are(name: str) -> None:
    found = re.findall(r'(?:href|src)="(/admin/help/[^"]*)"', pages.html(name))
    addresses = {pages.address(other): other for other in pages.names()}

    for address in found:
        page, _hash, anchor = address.partition("#")
        if page.startswith("/admin/help/pictures/"):
            assert page.rpartition("/")[2] in pages.pictures()
        else:
            assert not anchor or anchor in pages.anchors(addresses[page]), address
    assert 'href=""' not in pages.html(name)


def test_headings_of_one_name_are_told_apart() -> None:
    tokens = markdown.read("# A\n\n## More\n\n## More\n")

    assert [at for _level, at, _text in markdown.headings(tokens)] == ["a", "more", "more-1"]


def test_html_in_a_text_is_shown_and_not_obeyed() -> None:
    drawn = markdown.render(markdown.read("<script>alert(1)</script> and [x](javascript:alert(1))"))

    assert "<script" not in drawn
    assert "href" not in drawn


def test_everybody_who_is_signed_in_reads_them(clerk: Client) -> None:
    for name in ("", "launching", "mechanisms/ledger", "decisions", "readme"):
        answer = clerk.get(pages.address(name))
        assert answer.status_code == 200
        assert 'class="c-card c-help-text"' in answer.content.decode()
    assert 'aria-current="page">launching' in clerk.get(pages.address("launching")).content.decode()


def test_nobody_reads_them_from_outside(client: Client, db: None) -> None:
    for address in (pages.address(""), pages.address("launching"), "/admin/help/pictures/campaign.png"):
        assert client.get(address).status_code == 302


def test_a_page_shows_its_pictures(clerk: Client) -> None:
    answer = clerk.get("/admin/help/pictures/campaign.png")

    assert answer["Content-Type"] == "image/png"
    assert b"".join(answer).startswith(b"\x89PNG")
    assert 'src="/admin/help/pictures/campaign.png"' in clerk.get(pages.address("readme")).content.decode()


@pytest.mark.parametrize("there", ["nothing", "../settings", "%2e%2e/%2e%2e/conf", "docs/launching", "launching.md"])
def test_what_is_no_page_is_not_found(clerk: Client, there: str) -> None:
    assert clerk.get(f"/admin/help/{there}/").status_code == 404
    assert clerk.get(f"/admin/help/pictures/{Path(there).name}").status_code == 404


def test_the_contents_are_those_of_the_index() -> None:
    groups = pages.groups()

    assert [group.title for group in groups][:2] == ["For operators", "For people who run it"]
    assert ("launching", "launching") in groups[0].pages
    listed = {name for group in groups for name, _title in group.pages}
    assert {name for name in pages.names() if "/" not in name} - listed <= {"", "changelog", "security"}
