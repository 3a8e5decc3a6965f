"""Budgets, with what is used of each, and the button that lifts one for the rest of its day or month."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.forms.shared_rows import SharedRowAdmin
from laaffic_console.kit.lists.changelists import changelist_of
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.words.people import signed_in
from messaging.admin.shared import bulk_actions
from messaging.models import Budget, CampaignState
from messaging.models.campaign_bases import Launched
from messaging.services.budgets import budgets

MAY_LIFT = "messaging.approve_campaign"


def about(request: HttpRequest, held: Launched) -> dict[str, Any]:
    """What the page of something that is held shows of its budget."""
    if not budgets.has_said(held.hold_reason):
        return {"is_over_budget": False}
    may_see = request.user.has_perm("messaging.view_budget")
    return {
        "is_over_budget": True,
        "budgets_page": reverse("admin:messaging_budget_changelist") if may_see else "",
        "may_raise_budget": may_see and request.user.has_perm("messaging.change_budget"),
        "may_lift_budget": may_see and request.user.has_perm(MAY_LIFT),
        "budget_has_room": budgets.has_room_again(held.application, held.hold_reason),
    }


class LiftForm(forms.Form):
    why = forms.CharField(
        max_length=200,
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("It is kept with your name, and shown in the list."),
        widget=UnfoldAdminTextInputWidget,
    )
    # When it was asked: a day or month that begins while the question is open is another one.
    day = forms.CharField(required=False, widget=forms.HiddenInput, initial=lambda: budgets.today().isoformat())

    def clean_day(self) -> dt.date:
        try:
            return dt.date.fromisoformat(self.cleaned_data["day"])
        except ValueError:
            return dt.date.min


@admin.register(Budget)
class BudgetAdmin(SharedRowAdmin, ModelAdmin):
    when_empty = gettext_lazy("Without a budget campaigns send as much as the balance allows. Add one to bound a day.")
    list_display = ["application", "per", "shown_limit", "gone", "left", "lifted"]
    list_filter = ["per", "currency"]
    list_select_related = ["application"]
    list_per_page = 100
    actions = ["lift"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nothing but the limit can be changed: what is used is counted in the budget's unit and period."""
        return ["application", "per", "currency", "shown_limit"] if obj is not None else []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The fields; a person without the right to change reads the limit as the list shows it."""
        may_write = obj is None or self.has_change_permission(request, obj)
        return ["application", "per", *(["currency", "limit"] if may_write else ["shown_limit"])]

    def save_model(self, request: HttpRequest, obj: Budget, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            budgets.begin(obj)
        elif budgets.holds_any(obj.application):
            said = _("What a budget holds does not go on by itself: resume it.")
            messages.info(request, _with_held(request, said, {obj.application_id}))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response = super().changelist_view(request, extra_context)
        if changelist := changelist_of(response):
            standings = {standing.budget.pk: standing for standing in budgets.standings()}
            changelist.result_list = [one for one in changelist.result_list if one.pk in standings]
            for budget in changelist.result_list:
                budget.standing = standings[budget.pk]
        return response

    @display(description=gettext_lazy("limit"), ordering="limit")
    def shown_limit(self, budget: Budget) -> str:
        return budgets.in_words(budget, budget.limit)

    @display(description=gettext_lazy("used in this period"))
    def gone(self, budget: Budget) -> str:
        standing: budgets.Standing = budget.standing  # type: ignore[attr-defined]
        said = budgets.used_in_words(standing)
        tone = "bad" if standing.percent >= 100 else "warn" if standing.is_warned else "good"
        shown = {"percent": min(standing.percent, 100), "tone": tone, "says": said}
        return format_html("{} {}", render_to_string("console/progress_bar.html", shown), said)

    @display(description=gettext_lazy("left"))
    def left(self, budget: Budget) -> str:
        standing: budgets.Standing = budget.standing  # type: ignore[attr-defined]
        return budgets.in_words(budget, standing.left)

    @display(description=gettext_lazy("lifted"))
    def lifted(self, budget: Budget) -> str:
        counter = budget.standing.counter  # type: ignore[attr-defined]
        if counter.lifted_at is None:
            return "–"
        who = counter.lifted_by or _("the shell")
        return f"{who}: {in_text(counter.lift_reason)}"

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_LIFT)

    @admin.action(description=gettext_lazy("Lift for this day or month …"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Budget]) -> HttpResponse | None:
        return bulk_actions.ask(
            self,
            request,
            queryset,
            action="lift",
            title=_("Lift the budget"),
            form_class=LiftForm,
            act=lambda form, chosen: self._lift_each(request, chosen, **form.cleaned_data),
            explanation=_(
                "Nothing bounds the application's campaigns then, until the day or month is over. "
                "A campaign that is held goes on when somebody resumes it."
            ),
        )

    def _lift_each(self, request: HttpRequest, queryset: QuerySet[Budget], why: str, day: dt.date) -> str:
        n, overtaken = 0, ""
        holding: set[int] = set()
        for budget in queryset.select_related("application"):
            try:
                budgets.lift(budget.pk, reason=why, by=signed_in(request), day=day)
                n += 1
                holding |= {budget.application_id} if budgets.holds_any(budget.application) else set()
            except budgets.NewPeriod as problem:
                overtaken = str(problem)
            except budgets.LiftedAlready:
                continue
        if overtaken and not n:
            raise ValidationError(overtaken)
        said = ngettext("%(n)s budget is lifted.", "%(n)s budgets are lifted.", n) % {"n": n}
        if not n:
            return _("They were lifted already.")
        if overtaken or not holding:
            return f"{said} {overtaken}".strip()
        then = _("Resume the campaigns that are held.")
        return _with_held(request, f"{said} {then}", holding)


def _with_held(request: HttpRequest, said: str, applications: set[int]) -> str:
    """`said`, with a link to the held campaigns (by a budget or otherwise) of these applications."""
    if not request.user.has_perm("messaging.view_campaign"):
        return said
    held: dict[str, object] = {"state__exact": CampaignState.HELD.value}
    if len(applications) == 1:
        held["application__id__exact"] = min(applications)
    address = reverse("admin:messaging_campaign_changelist", query=held)
    return format_html('{} <a class="c-link" href="{}">{}</a>', said, address, _("See what is held"))
