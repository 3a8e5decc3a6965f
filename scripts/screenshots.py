"""The documentation's pictures, taken from a running `make demo`: scripts/screenshots.py URL USER PASSWORD."""

import shutil
import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, sync_playwright

TARGET = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
PAGES = {
    "front": "/admin/",
    "campaigns": "/admin/messaging/campaign/",
    "campaign": "/admin/messaging/campaign/1/change/",
    "compose": "/admin/messaging/campaign/add/",
    "contacts": "/admin/messaging/contact/",
    "import": "/admin/messaging/contactimport/1/change/",
}
VIEWS: dict[str, tuple[int, int, Literal["light", "dark"]]] = {
    "": (1360, 900, "light"),
    "-dark": (1360, 900, "dark"),
    "-phone": (390, 844, "light"),
}


def main(url: str, user: str, password: str) -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for suffix, (width, height, scheme) in VIEWS.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, base_url=url.rstrip("/")
            )
            page = context.new_page()
            sign_in(page, user, password)
            for name, address in PAGES.items():
                if suffix and name not in ("campaign", "front"):
                    continue
                page.goto(address)
                page.wait_for_timeout(600)
                page.screenshot(path=TARGET / f"{name}{suffix}.png")
            context.close()
        browser.close()


def sign_in(page: Page, user: str, password: str) -> None:
    page.goto("/admin/")
    page.fill("#id_username", user)
    page.fill("#id_password", password)
    page.click("button[type=submit]")
    page.wait_for_load_state()


if __name__ == "__main__":
    main(*sys.argv[1:4])
