"""Before a group call is launched, one page: the one of every kind of draft, with what is a group call's own."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.services.account import balance_history
from laaffic_console.gateway.services.ledger.open_acts import FIELD, StillOpen
from laaffic_console.kit.pages import page, require
from laaffic_console.kit.words.people import signed_in
from messaging.admin.composing.before_launch import check_words
from messaging.admin.rules import approvals
from messaging.admin.shared import undo_field
from messaging.services.audience import recipient_clocks
from messaging.services.forecast import balance_forecast
from messaging.services.launching import checks, seals
from messaging.services.launching.checks import NotSeen
from voice.admin.group_facts import button_words, cost_words, left_out, own_page, start_words, told
from voice.models import GroupTask
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import starting as group_start
from voice.services.group_calls import tasks as group_tasks


def view(admin: "ModelAdmin[Any]", request: HttpRequest, task: GroupTask) -> HttpResponse:
    if request.method != "POST":
        return _page(admin, request, task)
    require(request, "voice.launch_grouptask")
    if asked := approvals.ask_again(request, task):
        return asked
    try:
        return _launched(request, _launch(request, task))
    except StillOpen as problem:
        return _page(admin, request, task, repeated=problem.sentence)
    except NotSeen as problem:
        return _page(admin, request, task, missing=problem.sentences)
    except group_tasks.NotAsShown as problem:
        fresh = GroupTask.objects.select_related(*group_launching.RELATED).get(pk=task.pk)
        return _page(admin, request, fresh, missing=problem.messages)
    except ValidationError as problem:
        return _page(admin, request, task, problems=problem.messages)


def _launch(request: HttpRequest, task: GroupTask) -> GroupTask:
    seen, sentences = seals.read(task, request.POST.get("shown", ""))
    planned = group_start.planned(task)
    if seen != group_tasks.shown_digest(task, planned.numbers):
        group_tasks.not_as_shown()
    checks.require(planned.checks, ticked=set(request.POST.getlist("seen")), sentences=sentences)
    return group_tasks.launch(
        task.pk,
        by=signed_in(request),
        seen=seen,
        again=request.POST.get(FIELD, ""),
        undo_seconds=undo_field.seconds_of(request),
    )


def _launched(request: HttpRequest, task: GroupTask) -> HttpResponse:
    if task.is_at_laaffic:
        messages.success(request, _("Laaffic has the task “%(name)s”.") % {"name": task.task_name})
    return HttpResponseRedirect(own_page(task))


def _page(
    admin: "ModelAdmin[Any]",
    request: HttpRequest,
    task: GroupTask,
    *,
    problems: list[str] | None = None,
    missing: list[str] | None = None,
    repeated: str = "",
) -> HttpResponse:
    planned = group_start.planned(task)
    _seen, sentences = seals.read(task, request.POST.get("shown", ""))
    digest = group_tasks.shown_digest(task, planned.numbers)
    start = start_words(task, planned.start)
    return page(
        admin,
        request,
        "voice/group_review.html",
        task.name,
        draft=task,
        task=task,
        is_shown=True,
        problems=problems or [],
        missing=missing or [],
        repeated=repeated,
        people={
            "name": _("Phones that will ring"),
            "n": len(planned.numbers),
            "source": task.numbers_from,
            "left_out": left_out(task, planned.called),
        },
        cost=planned.cost,
        cost_says=cost_words(task, planned),
        after=balance_forecast.of(planned.cost),
        balance=balance_history.latest(),
        checks=[check_words(request, check, sentences) for check in planned.checks],
        is_stopped=checks.is_stopped(planned.checks),
        approval=approvals.shown(request, task, planned.numbers),
        clocks=planned.clocks[: recipient_clocks.COUNTRIES],
        **start,
        is_later=bool(task.send_at) or start["waits_for_window"] or planned.start > timezone.now(),
        clocks_say=_("Laaffic dials them one after the other, by itself; the clocks are those of the first call."),
        button=button_words(task, len(planned.numbers)),
        shown_token=seals.token(task, digest, checks.sentences_of(planned.checks)),
        may_launch=request.user.has_perm("voice.launch_grouptask"),
        not_yours=_("You may write tasks, but not launch them. Ask somebody who may."),
        can_undo=not task.send_at,
        may_edit=admin.has_add_permission(request),
        edit_address=own_page(task, "edit"),
        **undo_field.context(request),
        **told(task),
    )
