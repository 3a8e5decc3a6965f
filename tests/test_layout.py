"""The house stands as it is drawn (architecture#rooms), and nothing takes a standard module's place."""

import importlib.metadata
import sys
from pathlib import Path

from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent


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
