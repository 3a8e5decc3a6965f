"""The system's own colours, no motion, and 200 %: what is told by colour or movement alone would be gone."""

import pytest
from playwright.sync_api import Page, ViewportSize

from laaffic_console.gateway.models import Application
from messaging.models import Campaign, Contact
from tests.messaging.campaigns.test_comparing import sent

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

# What takes the focus, and has nothing around it that the page around it has not.
WITHOUT_OUTLINE = """() => [...document.querySelectorAll(
        "a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled)
    .filter((one) => {
        one.focus({ preventScroll: true });
        const seen = (node) => {
            const { outlineStyle, outlineWidth } = getComputedStyle(node);
            return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
        };
        const around = one.closest(".select2-selection") ?? one;
        return document.activeElement === one && !seen(one) && !seen(around);
    })
    .map((one) => one.outerHTML.slice(0, 160))"""
# A word in a colour stays a word; what only its background set off has a line around it; what is chosen has one more.
BY_COLOUR_ALONE = """() => {
    const shown = (rule) => [...document.querySelectorAll(rule)].filter((one) => one.checkVisibility());
    const lined = (one) => parseFloat(getComputedStyle(one).borderTopWidth) >= 1;
    const marked = (one) => getComputedStyle(one).outlineStyle !== "none";
    const told = (one) => one.textContent.trim() || one.title || one.getAttribute("aria-label");
    return [
        ...shown(".c-state, .c-count").filter((one) => !told(one) || !lined(one)),
        ...shown(".c-button, .c-bubble, .c-kept-filter").filter((one) => !lined(one)),
        ...shown("[aria-current], [aria-pressed=true]").filter((one) => !marked(one)),
        ...shown(".c-squares li, .c-bar, .c-spread").filter((one) => !told(one) && !one.closest("[aria-hidden]")),
    ].map((one) => one.outerHTML.slice(0, 160));
}"""
MOVING = """() => [
    ...document.getAnimations().filter((one) => one.effect.getTiming().duration > 20),
    ...[...document.querySelectorAll("*")].flatMap((one) => {
        const { animationName, animationDuration, transitionDuration, scrollBehavior } = getComputedStyle(one);
        const longest = (said) => Math.max(...said.split(",").map(parseFloat));
        const isMoving = (animationName !== "none" && longest(animationDuration) > 0.02)
            || longest(transitionDuration) > 0.02 || scrollBehavior === "smooth";
        return isMoving ? [one] : [];
    })].map((one) => one.outerHTML?.slice(0, 160) ?? one.animationName ?? one.transitionProperty)"""
# Once its charts have followed.
IS_WIDER = """new Promise((then) => requestAnimationFrame(() => setTimeout(then, 50)))
    .then(() => document.documentElement.scrollWidth > innerWidth)"""
# The inks of a page, each with its ground.
INKS = """() => [document.getElementById("main"), ...document.querySelectorAll("#content *")]
    .filter((one) => one.checkVisibility() && (one.textContent.trim() || one.matches("input, textarea")))
    .map((one) => `${getComputedStyle(one).color} on ${getComputedStyle(one).backgroundColor}`)"""
LOOKS = {"by colour alone": BY_COLOUR_ALONE, "focus not seen": WITHOUT_OUTLINE, "moving": MOVING}
WHOLE: ViewportSize = {"width": 1360, "height": 900}
NARROW: dict[str, ViewportSize] = {
    "at 200 percent": {"width": 680, "height": 450},
    "on a phone": {"width": 390, "height": 844},
}


@pytest.fixture
def pages(application: Application) -> list[str]:
    compared = [sent(application, 90, 10), sent(application, 40, 30)]
    draft = Campaign.objects.create(name="Draft", application=application, text="Hello")
    Contact.objects.create(number="919876543210", name="Asha Verma")
    of_campaigns = "/admin/messaging/campaign/"
    return [
        *("/admin/", of_campaigns, f"{of_campaigns}add/", f"{of_campaigns}{draft.pk}/review/"),
        f"{of_campaigns}{compared[0].pk}/change/",
        f"{of_campaigns}compare/?ids={compared[0].pk},{compared[1].pk}",
        *("/admin/messaging/contact/", "/admin/reports/report/show/?by=campaign"),
    ]


def test_nothing_is_told_by_colour_or_movement_alone_or_lost_at_200_percent(page: Page, pages: list[str]) -> None:
    """Each page is drawn once, and looked at in three ways."""
    page.emulate_media(forced_colors="active")
    found: dict[str, list[str]] = {}
    for path in pages:
        page.set_viewport_size(WHOLE)
        answer = page.goto(path)
        assert answer
        assert answer.ok, path
        page.keyboard.press("Tab")  # who came by keyboard sees where they are
        for name, look in LOOKS.items():
            if said := page.evaluate(look):
                found[f"{path} {name}"] = said
        for name, size in NARROW.items():
            page.set_viewport_size(size)
            if page.evaluate(IS_WIDER):
                found[f"{path} {name}"] = ["wider than the screen"]

    assert found == {}


def test_what_is_printed_from_a_dark_screen_is_light(page: Page, pages: list[str]) -> None:
    page.emulate_media(media="print")
    found: dict[str, list[str]] = {}
    for path in pages:
        page.goto(path)
        page.evaluate("document.documentElement.classList.add('dark')")
        dark = set(page.evaluate(INKS))
        page.evaluate("document.documentElement.classList.remove('dark')")
        if changed := dark - set(page.evaluate(INKS)):  # light last: what a script fills in meanwhile is in both
            found[path] = sorted(changed)

    assert found == {}
