"""The house stands as it is drawn (architecture#rooms), and nothing takes a standard module's place."""

import importlib.metadata
import re
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parents[2]
NAMES_A_TEMPLATE = re.compile(r"""{% (?:include|extends) ["']([^"']+)["']""")

CODE = ("laaffic_console", "messaging", "voice", "numbers")
# What has a function: {its name: how it would be written out a second time}.
WRITTEN_OUT = {
    "say_why": r"""messages\.error\(request, " "\.join\(\w+\.messages|in \w+\.messages:\n\s+messages\.error""",
    "own_page": r"""reverse\(f?"admin:(\w+|\{.*_meta.*\})_(change|review|edit)", args=\[""",
    "posted_row": r"""method != "POST" or (\w+) is None:\n\s+raise Http404|(\w+) is None or \w+\.method != "POST":""",
    "whole_number": r"""isdecimal\(\) and len\(\w+\) < 1[689]|str\(\w+\)\.isdecimal\(\)|\.isdigit\(\) and len""",
    "username": r"""([\w.]+)\.get_username\(\) if \1 else "\"""",
}


def test_numbers_is_a_container_and_no_package() -> None:
    assert not (ROOT / "numbers" / "__init__.py").exists()


def test_the_numbers_app_is_ours_and_not_the_standard_librarys() -> None:
    config = apps.get_app_config("numbers")

    assert Path(config.path) == ROOT / "numbers" / "phone_numbers"
    assert config.name == "phone_numbers"


def test_no_name_beside_manage_py_shadows_another() -> None:
    packages = [path for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    names = {path.stem for path in packages}
    installed = set(importlib.metadata.packages_distributions()) - {"laaffic_console", "messaging", "voice"}

    assert not names & sys.stdlib_module_names
    assert not names & installed


@pytest.mark.parametrize("function", WRITTEN_OUT)
def test_what_has_a_function_is_not_written_out(function: str) -> None:
    again = re.compile(WRITTEN_OUT[function])
    texts = {path: path.read_text() for folder in CODE for path in (ROOT / folder).rglob("*.py")}
    elsewhere = {path: text for path, text in texts.items() if f"def {function}(" not in text}

    assert [str(path.relative_to(ROOT)) for path, text in elsewhere.items() if again.search(text)] == []
    assert len(texts) - len(elsewhere) == 1


def test_each_template_that_another_one_names_is_there() -> None:
    named = {
        (name, str(path.relative_to(ROOT)))
        for folder in CODE
        for path in (ROOT / folder).rglob("templates/**/*.html")
        for name in NAMES_A_TEMPLATE.findall(path.read_text())
        if not name.startswith("django/forms/")  # the renderer of forms finds those
    }

    assert {(name, where) for name, where in named if not is_there(name)} == set()
    assert len(named) > 100


def is_there(name: str) -> bool:
    try:
        get_template(name)
    except TemplateDoesNotExist:
        return False
    return True
