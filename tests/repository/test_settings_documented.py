"""docs/settings.md explains each setting that is read from the environment, and no other."""

import re

from laaffic_console.conf import BASE_DIR, PACKAGE_DIR

READ = re.compile(r"(?<=\w)(?<!\.get)\(\s*\"(DEBUG|[A-Z]+(?:_[A-Z]+)+)\"")
SOURCES = ("conf.py", "settings.py", "environment.py")
# The web server tells its own threads by it; where the settings themselves are read from, said in a sentence.
OURS = {"CONSOLE_IN_THREADS", "CONSOLE_ENV_FILE"}
ELSEWHERE = "SAML_"  # all of them are in docs/identity.md
DOCS = BASE_DIR / "docs"


def read() -> set[str]:
    return {name for source in SOURCES for name in READ.findall((PACKAGE_DIR / source).read_text())} - OURS


def explained() -> set[str]:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", (DOCS / "settings.md").read_text(), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_every_setting_is_explained_and_read() -> None:
    assert len(read()) > 90

    assert {name for name in read() - explained() if not name.startswith(ELSEWHERE)} == set()
    assert explained() - read() == set()


def test_those_of_saml_are_explained_with_signing_in() -> None:
    text = (DOCS / "identity.md").read_text()

    assert [name for name in read() if name.startswith(ELSEWHERE) and f"`{name}`" not in text] == []
