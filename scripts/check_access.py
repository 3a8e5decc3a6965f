"""axe over every page of a console, light and dark, wide and narrow: scripts/check_access.py [URL USER PASSWORD].

Without an address it starts its own demo and ends it. Pages are found by following links from the front page, and by
the table of all addresses (tests/dashboard/doors.txt) with the keys of rows that were seen; then menus and dialogs are
opened and states made by clicks (access_states.py). States that change something are only made in its own demo. Any
fault, however small, ends it with 1.
"""

import argparse
import collections
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Error, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts")]

import access_states  # noqa: E402 - beside this file, wherever it is begun
import browsers  # noqa: E402
from access_states import State  # noqa: E402

DOORS = ROOT / "tests" / "dashboard" / "doors.txt"
ADMINISTRATOR = 5  # index of the administrator's letter in a row of doors.txt
DEMO_PATIENCE = 600.0
# A second way to sign in, beside the password; nobody listens there.
PROVIDER = {
    "OIDC_NAME": "Example ID",
    "OIDC_ISSUER": "http://127.0.0.1:9",
    "OIDC_CLIENT_ID": "access",
    "OIDC_CLIENT_SECRET": "access",
    "OIDC_ROLES": "support=Operator",
}
# Rows of a list differ in their states; for other addresses one row is enough.
ROWS_OF_A_LIST = 3
KEY = re.compile(r"^(\d+|[0-9a-f]{8}-[0-9a-f-]{27})$")
AXE = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map((fault) => ({
    rule: fault.id, weight: fault.impact, says: fault.help,
    nodes: fault.nodes.map((node) => [node.target.join(" "), node.failureSummary, node.html.slice(0, 160)]) }))"""


class Mode(NamedTuple):
    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]


MODES = [
    Mode("light", 1360, 900, "light"),
    Mode("dark", 1360, 900, "dark"),
    Mode("phone", 390, 844, "light"),
    Mode("phone dark", 390, 844, "dark"),
]


class Console(NamedTuple):
    url: str
    user: str
    password: str
    is_own: bool = False  # a demo of this check, in which something may be changed


class Asked(NamedTuple):
    """The requested pages and states; empty means all."""

    pages: list[str]
    states: list[str]
    is_only_states: bool
    pictures: Path | None

    def of(self, states: list[State], console: Console) -> Iterator[State]:
        for state in states:
            is_asked = not self.states or any(part in state.name or part == state.path for part in self.states)
            if is_asked and (console.is_own or not state.keeps):
                yield state


@dataclass(frozen=True, slots=True)
class Fault:
    mode: str
    page: str
    rule: str
    weight: str
    says: str
    where: str
    why: str
    html: str


# What axe finds on one page


def axe_script() -> str:
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text()


def faults_of(page: Page, *, mode: str, name: str) -> list[Fault]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe_script())
    return [
        Fault(mode, name, found["rule"], found["weight"], found["says"], *node)
        for found in page.evaluate(AXE)
        for node in found["nodes"]
    ]


def too_wide(page: Page, *, mode: str, name: str) -> list[Fault]:
    """A fault if the page can be scrolled sideways."""
    wide, has = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    says = f"{wide} px on {has}"
    return [Fault(mode, name, "too wide", "serious", "The page is wider than the screen", "html", says, "")][
        : wide > has
    ]


# Finding the pages


def pattern_of(path: str) -> str:
    """One name for all rows of a list: the address with its keys replaced by stars."""
    return "/".join("*" if KEY.match(part) else part for part in path.split("/"))


class Addresses:
    """The addresses to visit: some rows of each list, and one page of every other kind."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = collections.defaultdict(list)
        self.waiting: collections.deque[str] = collections.deque()

    def offer(self, link: str) -> None:
        path = urlsplit(link).path
        if not path.startswith(("/admin/", "/account/")) or "jsi18n" in path:
            return
        kept = self.found[pattern_of(path)]
        limit = ROWS_OF_A_LIST if path.endswith("/change/") else 1
        if path not in kept and len(kept) < limit:
            kept.append(path)
            self.waiting.append(path)

    def offer_doors(self) -> None:
        """Add addresses that no page links to: all that an administrator may open."""
        for route in opened_doors():
            if "<" not in route:
                self.offer(route)
            elif key := self._key_for(route):
                self.offer(re.sub(r"<[^>]+>", key, route))

    def _key_for(self, route: str) -> str | None:
        """The key of a row of the same list that was seen."""
        start = "/".join(route.split("/")[:4]) + "/*/"
        for pattern, paths in self.found.items():
            if pattern.startswith(start) and paths:
                return paths[0].split("/")[4]
        return None


def opened_doors() -> Iterator[str]:
    for line in DOORS.read_text().splitlines():
        if line.startswith(("/admin/", "/account/")):
            route, got, _ = line.rsplit(maxsplit=2)
            several = len(re.findall(r"<", route)) > 1
            if got[ADMINISTRATOR] == "o" and not several and "[" not in route:
                yield route


def crawl(page: Page) -> Iterator[str]:
    """Every page, starting from the front page; each is open while it is yielded."""
    addresses = Addresses()
    addresses.offer("/admin/")
    for is_rest in (False, True):
        if is_rest:
            addresses.offer_doors()
        while addresses.waiting:
            path = addresses.waiting.popleft()
            if not opens(page, path):
                continue
            for link in page.eval_on_selector_all("a[href]", "(links) => links.map((link) => link.href)"):
                if urlsplit(link).netloc == urlsplit(page.url).netloc:
                    addresses.offer(link)
            yield path


def opens(page: Page, path: str) -> bool:
    """Whether it opens a page: not a file, not a part of a page, not a redirect, whose target is visited itself."""
    try:
        answer = page.goto(path)
    except Error:  # a download
        return False
    if answer is None or not answer.ok or "text/html" not in answer.headers.get("content-type", ""):
        return False
    return urlsplit(page.url).path == path and "<html" in answer.text()


# One look at a page, or at a state


def settle(page: Page) -> None:
    """Wait until scripts have named things, open what folds, and finish what fades in."""
    page.wait_for_load_state()
    page.evaluate("new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(then))))")
    page.evaluate("document.querySelectorAll('details:not(.c-bell)').forEach((one) => { one.open = true })")
    page.wait_for_function("document.getAnimations().every((one) => one.playState !== 'running')")


# The whole check


def look_at_all(browser: Browser, console: Console, modes: list[Mode], asked: Asked) -> tuple[int, list[Fault]]:
    context = browser.new_context(base_url=console.url.rstrip("/"), reduced_motion="reduce")
    context.set_default_timeout(15_000)
    page = context.new_page()
    found: list[Fault] = []
    looks = 0
    for state in asked.of(access_states.STRANGERS, console):
        found += look_at_state(page, modes, state, asked.pictures)
        looks += 1
    page.goto("/admin/login/")
    sign_in(page, console.user, console.password)
    for path in pages(page, asked):
        found += look_at(page, modes, path, asked.pictures)
        looks += 1
        if looks % 25 == 0:
            print(f"{looks} pages, {len(found)} faults", file=sys.stderr)
    for state in asked.of(access_states.STATES, console):
        found += look_at_state(page, modes, state, asked.pictures)
        looks += 1
    if console.is_own and (not asked.states or "second factor" in asked.states):
        for name in access_states.second_factor(page, console.user, console.password):
            found += look_at(page, modes, f"/account/ ({name})", asked.pictures)
            looks += 1
    return looks * len(modes), found


def pages(page: Page, asked: Asked) -> Iterator[str]:
    if asked.pages:
        yield from (path for path in asked.pages if opens(page, path))
    elif not asked.is_only_states:
        yield from crawl(page)


def look_at(page: Page, modes: list[Mode], name: str, pictures: Path | None = None) -> list[Fault]:
    """Check the open page in every mode, without reloading: loading it four times would take most of the time."""
    found: list[Fault] = []
    for mode in modes:
        found += faults_of(page, mode=put_into(page, mode), name=name)
        found += too_wide(page, mode=mode.name, name=name)
        if pictures:
            file = re.sub(r"[^a-z0-9]+", "-", f"{name} {mode.name}".lower()).strip("-")
            page.screenshot(path=pictures / f"{file}.png")
    put_into(page, MODES[0])
    return found


def put_into(page: Page, mode: Mode) -> str:
    page.set_viewport_size({"width": mode.width, "height": mode.height})
    page.emulate_media(color_scheme=mode.scheme)
    page.evaluate("(dark) => document.documentElement.classList.toggle('dark', dark)", mode.scheme == "dark")
    settle(page)
    return mode.name


def look_at_state(page: Page, modes: list[Mode], state: State, pictures: Path | None = None) -> list[Fault]:
    called = f"{state.path} ({state.name})"
    try:
        if state.language:
            page.set_extra_http_headers({"Accept-Language": state.language})
        page.goto(state.path)
        state.act(page)
        return look_at(page, modes, called, pictures)
    except Error as problem:  # a page that cannot be opened is a fault, and not the end
        return [Fault("", called, "not opened", "serious", str(problem).splitlines()[0], "", "", "")]
    finally:
        if state.language:
            page.set_extra_http_headers({})


def sign_in(page: Page, user: str, password: str) -> None:
    page.fill("#id_username", user)
    page.fill("#id_password", password)
    page.click("button[type=submit]")
    page.wait_for_load_state()
    page.keyboard.press("Escape")  # the tour


def print_report(looked: int, found: list[Fault], *, details: bool) -> None:
    by_rule = collections.Counter((fault.rule, fault.weight, fault.says) for fault in found)
    for (rule, weight, says), n in by_rule.most_common():
        pages = {(fault.mode, fault.page) for fault in found if fault.rule == rule}
        print(f"{n:6}  {weight:9} {rule}: {says} ({len(pages)} pages)")
        places = collections.Counter(
            (re.sub(r"\d+", "N", fault.where), fault.why if details else "") for fault in found if fault.rule == rule
        )
        for (where, why), times in places.most_common(40 if details else 5):
            example = next(f for f in found if f.rule == rule and re.sub(r"\d+", "N", f.where) == where)
            print(f"        {times:5} × {where}   [{example.mode}] {example.page}")
            if details:
                print("              " + why.replace("\n", "\n              ") + f"\n              {example.html}")
    print(f"{looked} looks at pages, {len(found)} faults")


@contextlib.contextmanager
def own_demo() -> Iterator[Console]:
    """A demo in its own folder, once it has said its address; ended with the check."""
    with tempfile.TemporaryDirectory(prefix="access-") as folder:
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        environment = {**kept, **PROVIDER, "DEMO_VAR_DIR": folder, "PYTHONUNBUFFERED": "1"}
        demo = subprocess.Popen(
            [sys.executable, "-m", "laaffic_console", "demo"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            console = announced(demo)
            access_states.bring_about(Path(folder))
            yield console
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(60)


def announced(demo: "subprocess.Popen[str]") -> Console:
    said: dict[str, str] = {}
    until = time.monotonic() + DEMO_PATIENCE
    for line in demo.stdout or ():
        words = line.split()
        if len(words) > 1 and words[0] in ("Console", "User", "Password"):
            said[words[0]] = words[1]
        if len(said) == 3:
            return Console(said["Console"], said["User"], said["Password"], is_own=True)
        if time.monotonic() > until:
            break
    raise SystemExit("The demo did not start.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("console", nargs="*", metavar="URL USER PASSWORD", help="a console that runs")
    parser.add_argument("--mode", action="append", choices=[mode.name for mode in MODES], help="only this one")
    parser.add_argument("--page", action="append", metavar="PATH", help="only this one, and what opens")
    parser.add_argument("--state", action="append", metavar="NAME", help="only states with this in their name or path")
    parser.add_argument("--states", action="store_true", help="only states, and no pages")
    parser.add_argument("--pictures", type=Path, help="a folder for a picture of each look")
    parser.add_argument("--details", action="store_true", help="what axe says of each place")
    parser.add_argument("--json", type=Path, help="a file for all that was found")
    options = parser.parse_args()
    modes = [mode for mode in MODES if not options.mode or mode.name in options.mode]
    only_states = bool(options.states or options.state)
    asked = Asked(options.page or [], options.state or [], only_states, options.pictures)
    if asked.pictures:
        asked.pictures.mkdir(parents=True, exist_ok=True)
    given: Any = contextlib.nullcontext(Console(*options.console)) if options.console else own_demo()
    with given as console, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browsers.chromium(), args=["--no-sandbox"])
        looked, found = look_at_all(browser, console, modes, asked)
        browser.close()
    if options.json:
        options.json.write_text(json.dumps([{name: getattr(one, name) for name in one.__slots__} for one in found]))
    print_report(looked, found, details=options.details)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
