"""A day of an operator in another language: in Chinese no English is left over, and longer texts break nothing."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.conf.locale import LANG_INFO
from django.utils import timezone, translation
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from laaffic_console.gateway.models import Application
from laaffic_console.laaffic import Reply as WireReply
from laaffic_console.sandbox.fates import REASONS
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Campaign, Contact, ContactGroup, ContactImport, Conversation, Message
from messaging.services.replies import replies
from tests.browser.conftest import run_until_reported
from tests.languages.test_catalogues import script
from voice.models import SipCall
from voice.services.phones import sip_phones as phones

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

CHINESE, PSEUDO = "zh-hans", "en-xa"
NUMBER = "919876500000"
# Names: of the vendor, of units and formats, of languages in themselves, of what this test has written.
SAME_EVERYWHERE = {
    "Laaffic",
    "SMS",
    "MMS",
    "SIP",
    "AXB",
    "API",
    "TTS",
    "UCS",
    "GSM",
    "CSV",
    "XLSX",
    "Excel",
    "UTC",
    "STOP",
}
SAME_EVERYWHERE |= {"English", "hans", "EUR", "UTF", "Pseudo", "manage", "worker", "csv", "sendSms", "success"}
SAME_EVERYWHERE |= {"ada", "SQLite", "PostgreSQL", "name", "phone", "first", "esc", "country", "email", "language"}
SAME_EVERYWHERE |= {"number"}
SENDER = "SHOP"
SENDING = "test@mailpush.laaffic.cn"
SAME_EVERYWHERE |= {"luaKsL", SENDER}
# What carriers of the sandbox say.
SAME_EVERYWHERE |= {word for _share, reason in REASONS for word in reason.split()}
WORD = r"[A-Za-z]{3,}"
SETTING = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+(?:=\w+)?\b|\blc-[0-9a-f]+\b")  # SECRET_KEY, DEBUG=False, a task's mark
ON_A_PHONE = ["/admin/", "/admin/messaging/campaign/add/", "/admin/messaging/contact/", "/admin/gateway/ledgerentry/"]
VISIBLE = """() => {
  const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const skip = "script, style, noscript, textarea, template, .material-symbols-outlined, code, .c-mono";
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement;
    if (element && !element.closest(skip) && element.checkVisibility()) texts.push(node.data.trim());
  }
  for (const field of document.querySelectorAll("input[placeholder], textarea[placeholder]")) {
    if (field.checkVisibility()) texts.push(field.placeholder);
  }
  return texts.filter(Boolean);
}"""


@pytest.fixture(params=[CHINESE, PSEUDO])
def language(request: pytest.FixtureRequest, settings: LazySettings, tmp_path: Path) -> Iterator[str]:
    if request.param == PSEUDO:
        settings.LOCALE_PATHS = [*settings.LOCALE_PATHS, script("pseudo_language").write(tmp_path / "locale")]
        settings.LANGUAGES = [*settings.LANGUAGES, (PSEUDO, "Pseudo")]
        LANG_INFO[PSEUDO] = {"bidi": False, "code": PSEUDO, "name": "Pseudo", "name_local": "Pseudo"}
    yield request.param
    LANG_INFO.pop(PSEUDO, None)


@pytest.fixture
def speaking(page: Page, language: str) -> Page:
    page.set_extra_http_headers({"Accept-Language": language})
    return page


class Reader:
    """Reads the page as it stands; what is English on it is kept for the end."""

    def __init__(self, page: Page, language: str, *names: str) -> None:
        """`names`: what the vendor, and what this test, have given a name."""
        self.page, self.language, self.english = page, language, set[str]()
        self.names = SAME_EVERYWHERE.union(*(re.findall(WORD, name) for name in names))

    def says(self, words: str) -> str:
        with translation.override(self.language):
            return translation.gettext(words)

    def go(self, address: str) -> None:
        self.page.goto(address)
        self.read()

    def press(self, words: str) -> None:
        self.page.get_by_role("button", name=self.says(words)).first.click()

    def read(self) -> None:
        assert self.page.evaluate("document.documentElement.lang") == self.language
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if self.language == CHINESE:
            for text in self.page.evaluate(VISIBLE):
                if set(re.findall(WORD, SETTING.sub("", text))) - self.names:
                    self.english.add(f"{self.page.url.partition('/admin/')[2]}: {text}")


def contacts_file(tmp_path: Path) -> Path:
    path = tmp_path / "联系人.csv"
    path.write_text("phone,name\n" + "".join(f"+{int(NUMBER) + n},王芳\n" for n in range(5)) + "12,李\n")
    return path


def test_a_day(
    speaking: Page,
    language: str,
    sandbox: RunningSandbox,
    application: Application,
    tmp_path: Path,
    run_jobs: Callable[[], int],
) -> None:
    page, reader = speaking, Reader(speaking, language)

    reader.go("/admin/")
    reader.go("/admin/messaging/contactimport/add/")
    page.set_input_files("input[type=file]", contacts_file(tmp_path))
    page.fill("#id_new_group", "浦那")
    reader.press("Look at the file")
    expect(page.locator("select[name=column-0]")).to_have_value("number")
    run_jobs()
    reader.go(page.url)
    page.click("#start-import")
    run_jobs()
    expect(page.locator("#added")).to_have_text("5")
    reader.read()
    assert ContactImport.objects.get().invalid == 1

    group = ContactGroup.objects.get(name="浦那")
    reader.go(f"/admin/messaging/campaign/add/?groups={group.pk}")
    page.fill("#id_name", "秋季")
    page.fill("#id_text", "您好")
    expect(page.locator("#beside #recipients")).to_be_visible()
    reader.read()
    page.click("#to-review")
    expect(page.locator("#launch")).to_be_visible()
    reader.read()
    for box in page.locator("#checks input[type=checkbox]").all():  # at night there is one
        box.check()
    page.click("#launch")
    run_jobs()
    expect(page.locator("#percent")).to_have_text("100%")
    run_until_reported(run_jobs)
    campaign = Campaign.objects.get()
    reader.go(f"/admin/messaging/campaign/{campaign.pk}/change/")
    reader.go("/admin/messaging/campaign/")

    page.keyboard.press("/")
    palette = page.locator("#search-input-command")
    palette.fill("王芳")
    palette.press("End")  # an input method's last key
    expect(page.locator("#command-results-list")).to_contain_text("王芳")
    reader.read()
    reader.go(f"/admin/messaging/message/{Message.objects.earliest('pk').pk}/change/")

    at = timezone.now()
    replies.take([WireReply("", NUMBER, SENDER, "几点开门？", at, "", "", "", None, None, "", None)], source="push")
    page.set_viewport_size({"width": 390, "height": 844})
    reader.go("/admin/messaging/conversation/")
    page.get_by_role("link", name="王芳").first.click()
    with translation.override(language):
        answer = translation.gettext("Answer")
    page.get_by_label(answer, exact=True).fill("九点。")
    reader.press("Send")
    expect(page.locator("#thread li").last).to_contain_text("九点。")
    run_jobs()
    reader.read()
    assert Conversation.objects.get().unread == 0
    assert Contact.objects.count() == 5
    for address in [*ON_A_PHONE, f"/admin/messaging/campaign/{campaign.pk}/change/"]:
        reader.go(address)
    page.set_viewport_size({"width": 1360, "height": 900})
    assert not reader.english, "\n".join(sorted(reader.english))


in_chinese = pytest.mark.parametrize("language", [CHINESE], indirect=True)


@in_chinese
def test_a_call(speaking: Page, language: str, sandbox: RunningSandbox) -> None:
    page, reader = speaking, Reader(speaking, language, "voiceApp", "test", "voice/sendSip")
    phones.sync(Application.objects.create(app_id="voiceApp", channel="voice", name="门店"))
    Contact.objects.create(number=NUMBER, name="王芳", country="IN")

    reader.go("/admin/voice/sipcall/")
    boxes = page.locator(".simplebar-content-wrapper")
    expect(boxes.first).to_have_attribute("aria-label", reader.says("Scrolls"))
    reader.go("/admin/voice/sipcall/add/")
    page.select_option("#id_phone", index=1)
    page.fill("#id_callee", "12")
    page.click("#call")
    expect(page.locator(".c-error").first).to_be_visible()
    reader.read()
    page.fill("#id_callee", f"+{NUMBER}")
    page.click("#call")
    expect(page.locator("#state")).to_be_visible()
    reader.read()
    assert SipCall.objects.get().callee == NUMBER
    reader.go("/admin/voice/callrecord/")
    assert not reader.english, "\n".join(sorted(reader.english))


@in_chinese
def test_a_group_call(speaking: Page, language: str, sandbox: RunningSandbox, run_jobs: Callable[[], int]) -> None:
    names = ("voiceApp", "voice/group/call/send", "maxCalls", "Asia/Shanghai", "Ctrl")
    page, reader = speaking, Reader(speaking, language, *names)
    Application.objects.create(app_id="voiceApp", channel="voice", name="门店")

    reader.go("/admin/voice/grouptask/")
    reader.go("/admin/voice/grouptask/add/")
    page.fill("#id_name", "秋季")
    page.fill("#id_numbers", f"+{NUMBER}")
    page.click("#to-review")
    expect(page.locator("[data-errors=text]")).not_to_be_empty()
    reader.read()
    page.fill("#id_text", "您好")
    page.click("#to-review")
    expect(page.locator("#launch")).to_be_visible()
    reader.read()
    for box in page.locator("input[name=seen]").all():  # at night there is one
        box.check()
    page.click("#launch")
    run_jobs()
    expect(page.locator("#state")).to_be_visible()
    reader.read()
    assert not reader.english, "\n".join(sorted(reader.english))


@in_chinese
def test_a_masked_number(speaking: Page, language: str, sandbox: RunningSandbox) -> None:
    page, reader = speaking, Reader(speaking, language, "NumApp", "bindId")
    Application.objects.create(app_id="NumApp1", channel="number", name="隐私号")

    reader.go("/admin/numbers/binding/")
    reader.go("/admin/numbers/binding/bind/")
    page.fill("#id_phone_a", f"+{NUMBER}")
    page.fill("#id_phone_b", f"+{NUMBER}")
    page.fill("#id_pool_number", "918885")
    page.click("#bind")
    expect(page.locator("[role=alert]").first).to_be_visible()
    reader.read()
    page.fill("#id_phone_b", f"+{int(NUMBER) + 1}")
    page.click("#bind")
    expect(page.locator("#binding-state")).to_be_visible()
    reader.read()
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#unbind")
    expect(page.locator("#unbind")).to_have_count(0)
    reader.read()
    reader.go("/admin/numbers/numberpool/")
    assert not reader.english, "\n".join(sorted(reader.english))


@in_chinese
def test_an_email(
    speaking: Page,
    language: str,
    sandbox: RunningSandbox,
    settings: LazySettings,
    live_server: LiveServer,
    run_jobs: Callable[[], int],
) -> None:
    of_the_vendor = ("email/batchSendEmail", "Customers", "Welcome", "hello world", "en")
    names = ("fKFtblIy", SENDING, *of_the_vendor, "JSON", "Ann")
    page, reader = speaking, Reader(speaking, language, *names)
    settings.CONSOLE_URL = live_server.url
    sandbox.sandbox.options.email_callback_delay = 60.0  # what becomes of each mail is another test's
    Application.objects.create(app_id="fKFtblIy", channel="email", name="新闻")

    reader.go("/admin/messaging/emailcampaign/")
    reader.go("/admin/messaging/emailcampaign/add/")
    page.fill("#id_name", "春季")
    page.click("#refresh")
    expect(page.locator("#choices-receiver_id option[value='1000']")).to_have_count(1)
    page.fill("#id_from_address", SENDING)
    page.fill("#id_receiver_id", "1000")
    page.fill("#id_template_id", "1")
    page.click("#to-review")
    expect(page.locator("[role=alert]").first).to_be_visible()
    reader.read()
    page.fill("#id_subject", "春天")
    page.click("#to-review")
    expect(page.locator("#launch")).to_be_visible()
    reader.read()
    for box in page.locator("input[name=seen]").all():
        box.check()
    page.click("#launch")
    run_jobs()
    expect(page.locator("#state")).to_have_text(reader.says("Running"))
    reader.read()
    assert not reader.english, "\n".join(sorted(reader.english))
