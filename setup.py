"""What pyproject.toml cannot say: a wheel holds the texts of the help, which in a checkout lie beside the packages.

It is put together in a folder that goes away: build/ in the checkout would stay, and be packed by the next one.
"""

import atexit
import shutil
import tempfile
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


together = tempfile.mkdtemp(prefix="laaffic-console-")
atexit.register(shutil.rmtree, together, ignore_errors=True)
setup(cmdclass={"build_py": WithTexts}, options={"build": {"build_base": together}})
