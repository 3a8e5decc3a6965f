"""What pyproject.toml cannot say: a wheel holds the texts of the help, which in a checkout lie beside the packages."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

TEXTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")


class WithTexts(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.pack(Path(self.build_lib, "laaffic_console", "handbook", "texts"))

    @staticmethod
    def pack(packed: Path) -> None:
        shutil.copytree("docs", packed / "docs", dirs_exist_ok=True)
        for name in TEXTS:
            shutil.copyfile(name, packed / name)


setup(cmdclass={"build_py": WithTexts})
