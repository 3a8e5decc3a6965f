"""An operator's day, done on the real pages: its pictures are those of docs/a-day.md (scripts/screenshots.py).

Each step presses what a person would press and waits for what they would see; if a page has changed so that this fails,
the script ends with the step's name. Each language has its own people, so that one day does not find those of another.
"""

import datetime as dt
import itertools
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Error, Page, expect

PEOPLE = 240
# The last of screenshots.CAMPAIGNS, and one of its recipients.
UNDER_WAY, CAMPAIGN = "/admin/messaging/campaign/3/change/", "Spring opening"
RECIPIENT = "919800000012"
# Jobs of this day that a worker does; nothing is sent, as there is no gateway.
WORK = (
    *("messaging.jobs.run_contact_import", "messaging.jobs.forecast_contact_import"),
    *("messaging.jobs.count_audience", "messaging.jobs.index_names"),
)
# Playwright's thread may not query the database.
WORKER = ThreadPoolExecutor(max_workers=1)


@dataclass(frozen=True, slots=True)
class Words:
    """The texts that are typed, in the language of the pages."""

    first_number: int
    file: str
    header: str
    names: tuple[str, ...]  # the first one writes the reply
    group: str
    campaign: str
    text: str
    question: str
    answer: str


WORDS = {
    "en": Words(
        first_number=919811000000,
        file="saturday.csv",
        header="phone,name",
        names=("Asha Verma", "Rohan Gupta", "Meera Nair", "Kabir Singh", "Isha Rao"),
        group="Saturday tables",
        campaign="Tables on Saturday",
        text="Hello {{name|there}}, your table is ready on Saturday at seven. Reply STOP to opt out.",
        question="Could we come at eight instead?",
        answer="Yes: we keep your table until eight.",
    ),
    "zh-hans": Words(
        first_number=919812000000,
        file="周六.csv",
        header="phone,name",
        names=("王芳", "李伟", "张敏", "刘洋", "陈静"),
        group="周六订桌",
        campaign="周六订桌提醒",
        text="您好 {{name|客人}}，您周六晚七点的座位已备好。回复 STOP 退订。",
        question="可以改到八点吗？",
        answer="可以，座位为您保留到八点。",
    ),
}


class Day:
    def __init__(self, page: Page, language: str, folder: Path, now: dt.datetime) -> None:
        self.page, self.words, self.folder, self.now = page, WORDS[language], folder, now
        self.steps: list[tuple[str, Callable[[], None]]] = [
            ("import", self.choose_a_file),
            ("contacts", self.import_it),
            ("compose", self.write),
            ("review", self.look_before_the_launch),
            ("launch", self.launch),
            ("watch", self.watch),
            ("answer", self.answer_a_reply),
            ("find", self.find_somebody),
            ("export", self.take_the_result_away),
        ]

    def pictures(self) -> Iterator[str]:
        """Take each step and yield its name (`1-import` and so on), with the page as the step left it."""
        for n, (name, step) in enumerate(self.steps, 1):
            try:
                step()
                self.page.wait_for_load_state("networkidle")
            except (Error, AssertionError) as problem:
                sys.exit(f"Step {n} of the day, {name}, cannot be done on {self.page.url}:\n{str(problem)[:400]}")
            yield f"{n}-{name}"

    def choose_a_file(self) -> None:
        file = self.folder / self.words.file
        names = [self.words.names[0], *itertools.islice(itertools.cycle(self.words.names[1:]), PEOPLE - 1)]
        rows = [f"+{self.words.first_number + n},{name}" for n, name in enumerate(names)]
        file.write_text("\n".join([self.words.header, *rows, "12,"]), encoding="utf-8")
        self.page.goto("/admin/messaging/contactimport/add/")
        self.page.set_input_files("input[type=file]", file)
        self.page.fill("#id_new_group", self.words.group)
        self.page.locator("#content form button[type=submit]").last.click()
        expect(self.page.locator("select[name=column-0]")).to_have_value("number")
        work()
        self.page.reload()

    def import_it(self) -> None:
        self.page.click("#start-import")
        expect(self.page.locator("#import-state")).to_be_visible()
        work()
        expect(self.page.locator("#added")).to_have_text(str(PEOPLE))

    def write(self) -> None:
        group = WORKER.submit(key_of_group, self.words.group).result()
        self.page.goto(f"/admin/messaging/campaign/add/?groups={group}")
        self.page.fill("#id_name", self.words.campaign)
        self.page.fill("#id_text", self.words.text)
        expect(self.page.locator("#beside #recipients")).to_have_text(str(PEOPLE))
        expect(self.page.locator("#phone-text")).to_contain_text(self.words.names[0])
        self.page.locator("#id_text").evaluate("(text) => text.scrollIntoView({ block: 'center' })")

    def look_before_the_launch(self) -> None:
        self.page.click("#to-review")
        work()  # count all recipients
        expect(self.page.locator("#launch")).to_be_enabled(timeout=30_000)
        for box in self.page.locator("#checks input[type=checkbox]").all():  # tick each warning of the checks
            box.check()
        self.page.evaluate("scrollTo(0, 0)")  # a redrawn page may stay scrolled like the one before

    def launch(self) -> None:
        self.page.click("#launch")
        self.page.wait_for_url("**/change/")
        expect(self.page.locator("h1.c-title", has_text=self.words.campaign)).to_be_visible()

    def watch(self) -> None:
        self.page.goto(UNDER_WAY)
        expect(self.page.locator("#do-pause")).to_be_visible()

    def answer_a_reply(self) -> None:
        WORKER.submit(take_reply, str(self.words.first_number), self.words.question, self.now).result()
        self.page.goto("/admin/messaging/conversation/")
        self.page.get_by_role("link", name=self.words.names[0]).first.click()
        self.page.locator("textarea[name=text]").fill(self.words.answer)
        self.page.locator("form:has(textarea[name=text]) button[type=submit]").first.click()
        expect(self.page.locator("#thread li").last).to_contain_text(self.words.answer)

    def find_somebody(self) -> None:
        self.page.goto("/admin/messaging/campaign/")
        self.page.keyboard.press("/")
        palette = self.page.locator("#search-input-command")
        palette.fill(RECIPIENT)
        palette.press("End")
        expect(self.page.locator("#command-results-list a").first).to_contain_text(RECIPIENT)
        self.page.locator("#command-results-list a").first.click()
        expect(self.page.locator(".c-person")).to_contain_text(CAMPAIGN)

    def take_the_result_away(self) -> None:
        self.page.goto(UNDER_WAY)
        with self.page.expect_download() as download:
            self.page.locator("#export-recipients a").first.click()
        lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
        assert any(RECIPIENT in line for line in lines), "the recipient is not in the file"
        self.page.goto("/admin/exporting/export/")
        expect(self.page.locator("#result_list tbody tr").first).to_contain_text(CAMPAIGN)


def work() -> None:
    WORKER.submit(do_what_waits).result()


def do_what_waits() -> None:
    """Do this day's jobs, as a worker would."""
    from django.utils.module_loading import import_string
    from django_q.models import OrmQ

    for task in OrmQ.objects.order_by("id"):
        job = task.task
        if job["func"].startswith(WORK):
            task.delete()
            import_string(job["func"])(*job["args"])


def key_of_group(name: str) -> int:
    from messaging.models import ContactGroup

    return ContactGroup.objects.get(name=name).pk


def take_reply(number: str, text: str, at: dt.datetime) -> None:
    from laaffic_console.laaffic import Reply
    from messaging.services.replies import replies

    replies.take([Reply("", number, "LAAFFIC", text, at, "", "", "", None, None, "", None)], source="push")
