"""The documents name what is there: each link leads somewhere, each file that is named exists."""

import re
from pathlib import Path

import pytest

from laaffic_console.conf import BASE_DIR
from laaffic_console.laaffic import codes
from laaffic_console.laaffic.codes import Code, EmailCode, Family

PAGES = sorted([*BASE_DIR.glob("*.md"), *BASE_DIR.glob("docs/**/*.md"), BASE_DIR / "numbers" / "README.md"])
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
NAMED = re.compile(r"`((?:tests|scripts|docs|deploy|messaging|voice|numbers|laaffic_console)/[\w./-]*\.\w+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(BASE_DIR).as_posix())
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()

    assert [link for link in LINK.findall(text) if not (page.parent / link).exists()] == []
    assert [name for name in NAMED.findall(text) if not (BASE_DIR / name).exists()] == []


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
