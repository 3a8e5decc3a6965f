"""The locks serve every Python that pyproject.toml allows: what a dependency asks for there is in them."""

import re
from functools import cache
from importlib import metadata

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from laaffic_console.conf import BASE_DIR

PYTHONS = ["3.11.0", "3.11.2", "3.11.3", "3.11.14", "3.12.0", "3.12.12", "3.13.0", "3.13.9"]
SYSTEMS = {
    "Linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macOS": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
}
LINE = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[(?P<extras>[^\]]+)\])?==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+))?",
    re.MULTILINE,
)


# What is installed from each: of a server, and of who works on the console.
LOCKS = {"requirements.lock": {"build"}, "requirements-dev.lock": {"build", "sandbox", "dev"}}
TEST_TOOLS = {"pytest", "hypothesis", "playwright", "ruff", "mypy", "responses", "import-linter", "django-stubs"}


@pytest.fixture(params=LOCKS)
def lock(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@cache
def locked(lock: str) -> list[tuple[str, Version, Marker | None]]:
    text = (BASE_DIR / lock).read_text()
    return [
        (canonicalize_name(line["name"]), Version(line["version"]), Marker(line["marker"]) if line["marker"] else None)
        for line in LINE.finditer(text)
    ]


def machine(python: str, system: str) -> dict[str, str]:
    return {
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
        **SYSTEMS[system],
    }


def installed_there(lock: str, here: dict[str, str]) -> dict[str, Version]:
    return {name: version for name, version, marker in locked(lock) if marker is None or marker.evaluate(here)}


@cache
def requires(name: str) -> list[Requirement]:
    """One that is not installed here says nothing."""
    try:
        return [Requirement(line) for line in metadata.requires(name) or []]
    except metadata.PackageNotFoundError:
        return []


def asks_for(name: str, here: dict[str, str], extras: set[str]) -> list[Requirement]:
    return [
        wanted
        for wanted in requires(name)
        if wanted.marker is None or any(wanted.marker.evaluate({**here, "extra": extra}) for extra in {"", *extras})
    ]


def everything_asked_for(lock: str, here: dict[str, str]) -> list[tuple[str, Requirement]]:
    """From the project on, along each dependency with the extras that were asked of it."""
    asked: list[tuple[str, Requirement]] = []
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [("laaffic-console", frozenset(LOCKS[lock]))]
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for wanted in asks_for(name, here, set(extras)):
            asked.append((name, wanted))
            waiting.append((canonicalize_name(wanted.name), frozenset(wanted.extras)))
    return asked


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_it_holds_what_every_dependency_asks_for(lock: str, python: str, system: str) -> None:
    here = machine(python, system)
    there = installed_there(lock, here)
    asked = everything_asked_for(lock, here)

    wrong = [
        f"{name} wants {wanted}, the lock has {there.get(canonicalize_name(wanted.name))}"
        for name, wanted in asked
        if (version := there.get(canonicalize_name(wanted.name))) is None or version not in wanted.specifier
    ]

    assert len(asked) > 40  # so few would mean that nothing was walked
    assert wrong == []


def test_an_extra_that_is_asked_for_is_named_beside_its_version(lock: str) -> None:
    """To pip `coverage==7.1` is no answer to `coverage[toml]` as soon as a newer one is out: it installs nothing."""
    lines = LINE.finditer((BASE_DIR / lock).read_text())
    named = {
        canonicalize_name(line["name"]): set(filter(None, re.split(r",\s*", line["extras"] or ""))) for line in lines
    }

    asked = everything_asked_for(lock, machine("3.11.0", "Linux"))

    assert [str(wanted) for _name, wanted in asked if not wanted.extras <= named[canonicalize_name(wanted.name)]] == []


def test_each_distribution_has_hashes_and_none_an_address(lock: str) -> None:
    text = (BASE_DIR / lock).read_text()

    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]

    assert len(entries) > 35
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


@pytest.mark.parametrize("python", PYTHONS)
def test_every_python_gets_one_version_of_each(lock: str, python: str) -> None:
    here = machine(python, "Linux")
    names = [name for name, _version, marker in locked(lock) if marker is None or marker.evaluate(here)]

    assert sorted(names) == sorted(set(names))


def test_a_server_gets_no_test_tools_and_no_sandbox() -> None:
    assert not (TEST_TOOLS | {"aiohttp", "psutil"}) & {name for name, _version, _marker in locked("requirements.lock")}


def test_both_agree_on_every_version() -> None:
    server, dev = ({(name, version) for name, version, _marker in locked(lock)} for lock in LOCKS)

    assert server <= dev
