"""The documents name what is there: each link leads somewhere, each file that is named exists."""

import re
from pathlib import Path

import pytest

from laaffic_console.conf import BASE_DIR
from laaffic_console.handbook.pages import english_of
from laaffic_console.laaffic import codes
from laaffic_console.laaffic.codes import Code, EmailCode, Family

SUFFIXES = {".py", ".html", ".css", ".js", ".md"}
PAGES = sorted([*BASE_DIR.glob("*.md"), *BASE_DIR.glob("docs/**/*.md"), BASE_DIR / "numbers" / "README.md"])
FOLDERS = ("docs", "laaffic_console", "messaging", "voice", "numbers", "scripts", "tests", "deploy")
SOURCES = {path for folder in FOLDERS for path in (BASE_DIR / folder).rglob("*") if path.suffix in SUFFIXES}
TRANSLATED = {(folder.name,) for folder in (BASE_DIR / "laaffic_console" / "locale").iterdir()}
POINTED_AT = {
    page.stem: page
    for page in (BASE_DIR / "docs").rglob("*.md")
    if page.stem != "README" and page.relative_to(BASE_DIR).parts[1:2] not in TRANSLATED
}
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
ANCHOR = re.compile(r"\]\((?!https?://)([^)#]*)#([^)]+)\)")
# `laaffic-api#codes`: a page under docs/ by its name, and a heading in it (CONTRIBUTING, "Where a comment points").
POINTER = re.compile(rf"(?<![\w./-])({'|'.join(sorted(POINTED_AT))})#([\w-]+)(?: (\d+))?")
OUTSIDE = re.compile(r"\b(?:wire|DESIGN)(?:\.md)? §|\blaaffic-wire\b", re.IGNORECASE)
NAMED = re.compile(r"`((?:tests|scripts|docs|deploy|messaging|voice|numbers|laaffic_console)/[\w./-]*\.\w+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(BASE_DIR).as_posix())
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()

    assert [link for link in LINK.findall(text) if not (page.parent / link).exists()] == []
    assert [name for name in NAMED.findall(text) if not (BASE_DIR / name).exists()] == []


def test_every_command_is_listed() -> None:
    listed = (BASE_DIR / "docs" / "commands.md").read_text().partition("## All of them")[2].partition("\n## ")[0]
    ours = {path.stem for path in SOURCES if path.parts[-3:-1] == ("management", "commands")} - {"__init__"}

    assert len(ours) > 25
    assert {name for name in ours if not re.search(rf"\b{name}\b", listed)} == {
        *("rehearsal_acts", "rehearsal_ledger", "rehearsal_proofs"),  # run by `rehearse` itself
    }


def test_each_decision_stands_in_the_index() -> None:
    index = (BASE_DIR / "docs" / "decisions" / "README.md").read_text()
    pages = {path.name for path in (BASE_DIR / "docs" / "decisions").glob("0*.md")}

    assert pages == set(LINK.findall(index))


def test_the_tables_of_codes_are_the_codes_own() -> None:
    text = (BASE_DIR / "docs" / "laaffic-api.md").read_text().replace("−", "-")
    common, _, email = text.partition("### Email codes")

    for said, family in ((common, Family.SMS), (email, Family.EMAIL)):
        rows = re.findall(r"^\| (-\d+) \| (.+?) \| (.+?) \|", said.partition("### Delivery states")[0], re.MULTILINE)
        entries = {code: codes.lookup(family, code) for code, _meaning, _remedy in rows}
        listed = {code.value for code in (EmailCode if family is Family.EMAIL else Code)}
        assert listed == set(entries)
        assert rows == [(code, entry.meaning, entry.remedy.value) for code, entry in entries.items()]


def headings(page: Path) -> set[str]:
    """The headings of a page as addresses name them: `## The way of a push` is the-way-of-a-push.

    A translation's are those of its English (handbook/pages.py).
    """
    parts = page.resolve().relative_to(BASE_DIR).parts
    page = BASE_DIR / english_of("/".join(parts[2:])) if parts[1:2] in TRANSLATED else page
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


HEADINGS = {name: headings(page) for name, page in POINTED_AT.items()}
ROWS = set(re.findall(r"^\| (\d+) \|", POINTED_AT["laaffic-api"].read_text(), re.MULTILINE))


def test_every_pointer_leads_to_a_heading() -> None:
    found = {(path, *where) for path in SOURCES for where in POINTER.findall(path.read_text())}

    assert len(found) > 100
    assert [(path, name, to) for path, name, to, _row in found if to not in HEADINGS[name]] == []
    assert [(path, row) for path, _name, to, row in found if to == "ambiguities" and row and row not in ROWS] == []


def test_every_link_to_a_heading_finds_it() -> None:
    links = [(page, *link) for page in PAGES for link in ANCHOR.findall(page.read_text())]

    assert links
    assert [(page, to, at) for page, to, at in links if at not in headings(page.parent / to if to else page)] == []


def test_nothing_cites_what_lies_outside_the_repository() -> None:
    assert [path for path in SOURCES if OUTSIDE.search(path.read_text())] == []


def test_the_page_about_the_api_names_every_path_that_is_asked_for() -> None:
    modules = (BASE_DIR / "laaffic_console" / "laaffic").glob("*.py")
    paths = {path for module in modules for path in re.findall(r'"(/[a-z][\w/]+?)/?"', module.read_text())}

    said = POINTED_AT["laaffic-api"].read_text()
    assert len(paths) > 25
    assert [path for path in sorted(paths) if f"{path}`" not in said and f"{path}/{{" not in said] == []
