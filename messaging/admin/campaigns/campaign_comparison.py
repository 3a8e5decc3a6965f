"""Two to five campaigns side by side; a word marks the best in a row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import page
from laaffic_console.kit.words import durations
from laaffic_console.kit.words.figures import in_percent, money, number
from laaffic_console.kit.words.stored_words import reason_in_words
from messaging.models import CampaignState
from messaging.services.figures import comparing
from messaging.services.figures.comparing import Compared

REASONS = 5
MARKS = {comparing.BEST: gettext_lazy("best"), comparing.WORST: gettext_lazy("worst"), "": ""}


@dataclass(frozen=True, slots=True)
class Cell:
    lines: list[str]
    mark: str = ""  # "best", "worst", or neither

    @property
    def word(self) -> Any:
        return MARKS[self.mark]


@dataclass(frozen=True, slots=True)
class Row:
    label: Any
    cells: list[Cell]
    column: str = ""  # of reports, whose meaning it has


def address(ids: Sequence[int]) -> str:
    return f"{reverse('admin:messaging_campaign_compare')}?ids={','.join(map(str, ids))}"


def view(model_admin: "ModelAdmin[Any]", request: HttpRequest) -> HttpResponse:
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    try:
        compared = comparing.of(comparing.chosen(request.GET.get("ids", "")))
    except ValidationError as problem:
        say_why(request, problem)
        return HttpResponseRedirect(reverse("admin:messaging_campaign_changelist"))
    return page(
        model_admin,
        request,
        "messaging/campaign/compare.html",
        _("Compare campaigns"),
        compared=compared,
        rows=rows(compared),
    )


def rows(compared: Sequence[Compared]) -> list[Row]:
    return [
        _plain(gettext_lazy("Recipients"), "", compared, lambda one: [number(one.campaign.total)]),
        _plain(gettext_lazy("Sent"), "sent", compared, lambda one: [number(one.sent)]),
        _figure(
            gettext_lazy("Delivered"),
            "delivered",
            compared,
            _delivered,
            lambda one: one.figure("delivered_percent"),
            high=True,
        ),
        _figure(gettext_lazy("Failed"), "failed", compared, _failed, lambda one: one.of_tried("failed")),
        _plain(gettext_lazy("Failed by reason"), "reasons", compared, _reasons),
        _figure(gettext_lazy("Unknown"), "unknown", compared, _unknown, lambda one: one.of_tried("unknown")),
        _plain(
            gettext_lazy("Segments billed"), "segments", compared, lambda one: [number(one.figures.counts["segments"])]
        ),
        _plain(gettext_lazy("Cost"), "cost", compared, lambda one: _amounts(one.figure("cost"))),
        _costs_per_delivered(compared),
        _figure(gettext_lazy("Half delivered within"), "median_seconds", compared, *_within("median_seconds")),
        # xgettext:no-python-format
        _figure(gettext_lazy("95% delivered within"), "p95_seconds", compared, *_within("p95_seconds")),
        _figure(gettext_lazy("Replies"), "replies", compared, *_of_delivered("replies"), high=True),
        _figure(gettext_lazy("Opt-outs"), "opt_outs", compared, *_of_delivered("opt_outs")),
        _plain(gettext_lazy("Took"), "", compared, _took),
        _figure(gettext_lazy("Messages a second"), "", compared, _rate, lambda one: one.rate, high=True),
    ]


def _plain(label: Any, column: str, compared: Sequence[Compared], words: Callable[[Compared], list[str]]) -> Row:
    return Row(label, [Cell(words(one)) for one in compared], column)


def _figure(
    label: Any,
    column: str,
    compared: Sequence[Compared],
    words: Callable[[Compared], list[str]],
    value: Callable[[Compared], Any],
    *,
    high: bool = False,
) -> Row:
    marks = comparing.marks([value(one) for one in compared], high_is_good=high)
    return Row(label, [Cell(words(one), mark) for one, mark in zip(compared, marks, strict=True)], column)


def _delivered(one: Compared) -> list[str]:
    return _with_share(one.figures.counts["delivered"], one.figure("delivered_percent"))


def _failed(one: Compared) -> list[str]:
    return _with_share(one.figure("failed") or 0, one.of_tried("failed"))


def _unknown(one: Compared) -> list[str]:
    return _with_share(one.figures.counts["unknown"], one.of_tried("unknown"))


def _with_share(n: int, share: float | None, digits: int = 1) -> list[str]:
    return [number(n)] if share is None else [in_percent(share, digits), number(n)]


def _reasons(one: Compared) -> list[str]:
    most = list(one.figure("reasons").items())[:REASONS]
    none = _("no reason given")
    return [f"{in_text(reason_in_words(reason)) or none}: {number(n)}" for reason, n in most]


def _amounts(by_currency: dict[str, Any]) -> list[str]:
    return [money(amount, currency) for currency, amount in by_currency.items()]


def _costs_per_delivered(compared: Sequence[Compared]) -> Row:
    marks = comparing.marks(comparing.prices(compared), high_is_good=False)
    cells = [Cell(_amounts(one.figure("cost_per_delivered")), mark) for one, mark in zip(compared, marks, strict=True)]
    return Row(gettext_lazy("Cost per delivered"), cells, "cost_per_delivered")


def _within(name: str) -> tuple[Callable[[Compared], list[str]], Callable[[Compared], Any]]:
    def words(one: Compared) -> list[str]:
        seconds = one.figure(name)
        return [] if seconds is None else [durations.in_words(seconds)]

    return words, lambda one: one.figure(name)


def _of_delivered(name: str) -> tuple[Callable[[Compared], list[str]], Callable[[Compared], Any]]:
    return (
        lambda one: _with_share(one.figures.counts[name], one.of_delivered(name), 2),
        lambda one: one.of_delivered(name),
    )


def _took(one: Compared) -> list[str]:
    if one.seconds is None:
        return []
    words = durations.in_words(one.seconds)
    is_over = one.campaign.finished_at or one.campaign.state == CampaignState.CANCELLED
    return [words] if is_over else [_("%(time)s so far") % {"time": words}]


def _rate(one: Compared) -> list[str]:
    return [] if one.rate is None else [number(round(one.rate, 1 if one.rate < 100 else 0))]
