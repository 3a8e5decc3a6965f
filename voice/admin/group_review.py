"""The page before a group call is launched: the parts that only a group call has."""

from typing import Any

from django.contrib import messages
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit.pages import own_page
from laaffic_console.kit.words.people import signed_in
from messaging.admin.composing.launch_page import Facts, LaunchPage
from messaging.admin.rules import approvals
from messaging.admin.shared import undo_field
from messaging.services.audience import recipient_clocks
from messaging.services.forecast import balance_forecast
from messaging.services.launching import checks
from voice.admin.group_facts import button_words, cost_words, left_out, start_words, told
from voice.models import GroupTask
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import starting as group_start
from voice.services.group_calls import tasks as group_tasks


class GroupLaunch(LaunchPage[GroupTask]):
    template = "voice/group_review.html"
    right = "voice.launch_grouptask"
    not_yours = gettext_lazy("You may write tasks, but not launch them. Ask somebody who may.")

    def launch(self, seen: Any, sentences: dict[str, str]) -> None:
        planned = group_start.planned(self.draft)
        if seen != group_tasks.shown_digest(self.draft, planned.numbers):
            group_tasks.not_as_shown()
        ticked = set(self.request.POST.getlist("seen"))
        checks.require(planned.checks, ticked=ticked, reasons=self.reasons(), sentences=sentences)
        launched = group_tasks.launch(
            self.draft.pk,
            by=signed_in(self.request),
            seen=seen,
            again=self.again(),
            undo_seconds=undo_field.seconds_of(self.request),
        )
        if launched.is_at_laaffic:
            messages.success(self.request, _("Laaffic has the task “%(name)s”.") % {"name": launched.task_name})

    def facts(self) -> Facts:
        task = self.draft
        planned = group_start.planned(task)
        start = start_words(task, planned.start)
        return Facts(
            checks=planned.checks,
            seal=group_tasks.shown_digest(task, planned.numbers),
            starts_at=planned.start,
            is_later=bool(task.send_at) or start["waits_for_window"] or planned.start > timezone.now(),
            button=button_words(task, len(planned.numbers)),
            approval=approvals.shown(self.request, task, planned.numbers),
            more={
                "task": task,
                "people": {
                    "name": _("Phones that will ring"),
                    "n": len(planned.numbers),
                    "source": task.numbers_from,
                    "left_out": left_out(task, planned.called),
                },
                "cost": planned.cost,
                "cost_says": cost_words(task, planned),
                "after": balance_forecast.of(planned.cost),
                "clocks": planned.clocks[: recipient_clocks.COUNTRIES],
                "clocks_say": _(
                    "Laaffic dials them one after the other, by itself; the clocks are those of the first call."
                ),
                **start,
                **told(task),
            },
        )

    def fresh(self) -> GroupTask:
        return GroupTask.objects.select_related(*group_launching.RELATED).get(pk=self.draft.pk)

    def address(self) -> str:
        return own_page(self.draft)

    def edit_address(self) -> str:
        return own_page(self.draft, "edit")

    def may_edit(self) -> bool:
        return self.admin.has_add_permission(self.request)

    def can_undo(self) -> bool:
        return not self.draft.send_at
