"""Group-call tasks: written, reviewed, launched, followed to their end."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from laaffic_console.exporting import delivery
from laaffic_console.exporting.exported_list import ExportedList
from laaffic_console.gateway import shown_requests
from laaffic_console.gateway.copied_lists import CopiedListAdmin
from laaffic_console.gateway.services.ledger.open_acts import FIELD
from laaffic_console.identity.models import profile_of
from laaffic_console.kit.admin.page_links import PageLink
from laaffic_console.kit.files import exports
from laaffic_console.kit.files.exporting import require_export
from laaffic_console.kit.lists.changelists import changelist_of
from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import own_page, page, page_of, posted_row, require
from laaffic_console.kit.registers import meanings
from laaffic_console.kit.words import dates, state_colours
from laaffic_console.kit.words.figures import in_percent, money, number
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import whole_number
from messaging.admin.campaigns.composed_campaigns import launched_meanwhile
from messaging.admin.rules import approvals, budgets, calendars
from messaging.admin.shared import buttons, proof_panel, resuming
from voice.admin import group_rights
from voice.admin.group_facts import bar, told
from voice.admin.group_filters import ShownFilter
from voice.admin.group_form import GroupTaskForm
from voice.admin.group_review import GroupLaunch
from voice.admin.records import say_answer
from voice.models import GroupTask, TaskState
from voice.models.group_tasks import NOT_LEFT
from voice.registered import export_kinds
from voice.services import syncing
from voice.services.asking import group_calls as group_sync
from voice.services.asking import lookups
from voice.services.calls import ringing
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import care as group_care
from voice.services.group_calls import copies as group_copies
from voice.services.group_calls import figures as group_figures
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import states as group_state
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting
from voice.services.group_calls.unread_list import why_unread

LIST = "admin:voice_grouptask_changelist"
COLOURS = state_colours.of(
    TaskState, **dict.fromkeys(["launched", "submitting", "waiting", "calling"], "info"), replaced="default"
)
# States → those whose colours they have on all pages.
TONES = dict.fromkeys([TaskState.SENDING, TaskState.SUBMITTING, TaskState.WAITING, TaskState.CALLING], "running")
VERBS: dict[str, Callable[..., GroupTask]] = {
    buttons.TAKE_BACK: group_waiting.take_back,
    buttons.RESUME: group_waiting.resume,
}
MADE: dict[str, Callable[..., GroupTask]] = {
    "copy": group_copies.new_from,
    "unreached": lambda task, by: group_copies.new_from(task, unreached_only=True, by=by),
    "update": group_copies.update_of,
    "again": lambda task, by: group_copies.again(task, failed_only=False, by=by),
    "again-failed": lambda task, by: group_copies.again(task, failed_only=True, by=by),
}

LIST, SEE = "admin:voice_grouptask_changelist", "voice.view_grouptask"
TASKS = PageLink(LIST, gettext_lazy("Tasks"), SEE)
TEMPLATES = PageLink(LIST, gettext_lazy("Templates"), SEE, query="show=templates")


@admin.register(GroupTask)
class GroupTaskAdmin(approvals.GoesWithApprovals, ExportedList, CopiedListAdmin):
    when_empty = gettext_lazy("Write the first one: an announcement that is played to many numbers.")
    export_name = "group-calls"
    list_display = ["shown_name", "shown_state", "application", "progress", "rate", "sms", "shown_cost", "created_at"]
    list_filter = [ShownFilter, "state", ("application", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["application", "created_by"]
    search_fields = ["name", "task_name", "=key"]
    list_before_template = "voice/group_panel.html"
    copies = syncing.COPIES
    sync_permission = group_rights.ASK

    def get_list_links(self, request: HttpRequest) -> Sequence[PageLink]:
        return (TASKS if request.GET.get("show") == "templates" else TEMPLATES,)

    def sync_names(self) -> list[str]:
        return group_sync.names()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("voice.add_grouptask"))

    def has_delete_permission(self, request: HttpRequest, obj: GroupTask | None = None) -> bool:
        """Only a task that never left can be deleted: a template, or a draft that nobody tried to launch."""
        if obj is None or not group_tasks.is_untouched(obj):
            return False
        return bool(request.user.has_perm("voice.delete_grouptask"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[GroupTask]:
        """Without the sound, up to 5 MB, which only its player needs: an open page loads its task every two seconds."""
        return super().get_queryset(request).select_related("audio", *self.list_select_related).defer("audio__content")

    # The list

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response = super().changelist_view(request, extra_context)
        if changelist := changelist_of(response):
            response.context_data["totals"] = group_figures.totals(changelist.queryset)
        return response

    @display(description=gettext_lazy("task"), header=True, ordering="name")
    def shown_name(self, task: GroupTask) -> list[str]:
        if task.is_template:
            return [task.name, _("template")]
        if task.state == "waiting" and task.send_at:
            return [task.name, _("starts at %(when)s") % {"when": dates.planned(task.send_at)}]
        return [task.name, task.task_name or _("not launched")]

    @display(description=gettext_lazy("state"), label=COLOURS, ordering="state")
    def shown_state(self, task: GroupTask) -> tuple[str, str]:
        if task.is_template:
            return task.state, _("Template")
        return task.state, meanings.inline("group call", task.state, task.get_state_display())

    @display(description=gettext_lazy("called"))
    def progress(self, task: GroupTask) -> str:
        if task.called is None:
            said = ngettext("%(n)s number", "%(n)s numbers", task.number_count)
            return said % {"n": number(task.number_count)} if task.number_count else "–"
        return f"{number(task.called)} / {number(task.total or task.number_count)}"

    @display(description=gettext_lazy("connected"))
    def rate(self, task: GroupTask) -> str:
        return "–" if task.connect_rate is None else f"{number(task.connected or 0)} · {in_percent(task.connect_rate)}"

    @display(description=gettext_lazy("SMS"))
    def sms(self, task: GroupTask) -> str:
        return number(task.sms_sent) if task.sms_sent and task.hang_up_sms else "–"

    @display(description=gettext_lazy("cost"), ordering="cost")
    def shown_cost(self, task: GroupTask) -> str:
        return task.money or "–"

    # Writing

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/edit/", wrap(self.edit_view), name="voice_grouptask_edit"),
            path("<int:pk>/review/", wrap(self.review_view), name="voice_grouptask_review"),
            path("<int:pk>/approval/<slug:verb>/", wrap(self.approval_view), name="voice_grouptask_approval"),
            path("<int:pk>/make/<slug:what>/", wrap(self.make_view), name="voice_grouptask_make"),
            path("<int:pk>/template/", wrap(self.template_view), name="voice_grouptask_template"),
            path("<int:pk>/recipients/<slug:kind>/", wrap(self.recipients_view), name="voice_grouptask_recipients"),
            path("<int:pk>/dossier/", wrap(self.dossier_view), name="voice_grouptask_dossier"),
            path("<int:pk>/prove/", wrap(self.prove_view), name="voice_grouptask_prove"),
            path("<int:pk>/numbers/", wrap(self.numbers_view), name="voice_grouptask_numbers"),
            path("<int:pk>/do/<slug:verb>/", wrap(self.verb_view), name="voice_grouptask_do"),
            path("<int:pk>/outside-hours/", wrap(self.outside_hours_view), name="voice_grouptask_outside_hours"),
            path("<int:pk>/cancel/", wrap(self.cancel_view), name="voice_grouptask_cancel"),
            path("<int:pk>/ask/", wrap(self.ask_view), name="voice_grouptask_ask"),
            path("<int:pk>/resolve/", wrap(self.resolve_view), name="voice_grouptask_resolve"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        require(request, "voice.add_grouptask")
        return self._write(request, GroupTask(), _("New group-call task"), reverse(LIST))

    def edit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "voice.view_grouptask", "voice.add_grouptask")
        task = get_object_or_404(_whole(), pk=pk)
        if task.state != TaskState.DRAFT:
            return launched_meanwhile(request) or HttpResponseRedirect(own_page(task))
        return self._write(request, task, task.name, own_page(task))

    def _write(self, request: HttpRequest, task: GroupTask, title: str, back: str) -> HttpResponse:
        user = signed_in(request)
        zone = profile_of(user).time_zone
        form = GroupTaskForm(request.POST or None, request.FILES or None, instance=task, user=user, reader_zone=zone)
        saved = self._save(request, form) if request.method == "POST" and form.is_valid() else None
        # If upload.js sent it, the page stays as it is: what was typed and chosen is still there when a field is wrong.
        is_fetched = request.headers.get("X-Requested-With") == "fetch"
        if saved is not None:
            address = own_page(saved) if saved.is_template else own_page(saved, "review")
            return JsonResponse({"next": address}) if is_fetched else HttpResponseRedirect(address)
        if is_fetched and request.method == "POST":
            return JsonResponse({"errors": form.said(), "seen": form.seen_token})
        return page(self, request, "voice/group_form.html", title, form=form, task=task, back=back)

    def _save(self, request: HttpRequest, form: GroupTaskForm) -> GroupTask | None:
        try:
            with transaction.atomic():
                if form.instance.pk and not form.compare():
                    return None
                return group_tasks.save(form.instance, audience=form.audience, by=signed_in(request))
        except ValidationError as problem:
            form.add_error(None, problem.messages)
            return None

    # Launching

    def review_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "voice.view_grouptask")
        task = get_object_or_404(_whole(), pk=pk)
        if task.state != TaskState.DRAFT:  # somebody has launched it since this page was opened
            return HttpResponseRedirect(own_page(task))
        return GroupLaunch(self, request, task).answer()

    def approval_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        task = get_object_or_404(_whole(), pk=pk)
        return approvals.act(request, task, verb)

    # Following

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        task = self.get_object(request, object_id)
        if task is None:
            raise Http404
        require(request, "voice.view_grouptask")
        is_draft, is_held = task.state == TaskState.DRAFT, task.state == TaskState.HELD
        unread = why_unread(task)
        may = group_rights.acts(task, request.user, is_unread=bool(unread))
        proved = {} if is_draft or task.is_template else proof_panel.context(task)
        return page(
            self,
            request,
            "voice/group_task.html",
            task.name,
            task=task,
            status_at_laaffic=group_state.at_laaffic(task),
            tone=TONES.get(TaskState(task.state), task.state),
            advice=group_tasks.advice(task),
            is_moving=not is_draft
            and (not task.is_over or task.look_at is not None or proved.get("is_being_proved", False)),
            bar=bar(task),
            unread=unread,
            opted_out=group_callees.suppressed_since_launch(task) if task.is_open else 0,
            keys=[(key, n) for key, n in task.keys_pressed.items()],
            further_costs=_further_costs(task),
            **shown_requests.about(group_state.ABOUT, task.pk, request.user),
            events=task.events.select_related("actor")[:20],
            approval=approvals.shown(request, task) if is_draft and not task.is_template else None,
            agents=ringing.of_task(task) if request.user.has_perm("voice.view_callrecord") else [],
            children=task.children.order_by("-pk")[:20],
            **may,
            may_export=self.has_export_permission(request),
            **proved,
            shown_end=resuming.shown(task) if is_held else "",
            end_passed=resuming.end_passed(task) if is_held else "",
            **budgets.about(request, task),
            asks_why=may["may_resume"] and FIELD in request.GET,
            may_delete=self.has_delete_permission(request, task),
            **told(task),
        )

    def recipients_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """Each number of a task with what happened to its call."""
        back = page_of(GroupTask, pk)
        parameters = {"task": pk}
        answer: HttpResponse = delivery.deliver(
            request, export_kinds.TASK_RECIPIENTS, parameters, kind, file_name=f"group-call-{pk}-recipients", back=back
        )
        return answer

    def dossier_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return proof_panel.dossier_view(request, export_kinds.TASK_DOSSIER, GroupTask, pk)

    def prove_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        task = get_object_or_404(GroupTask, pk=pk, is_template=False)
        return proof_panel.prove_view(self, request, task)

    def numbers_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The task's numbers as a CSV file."""
        require_export(request, GroupTask)
        task = get_object_or_404(GroupTask, pk=pk)
        numbers = group_callees.of(task)
        exports.taken_away(f"group-call-{pk}.csv", what=task.name, n_rows=len(numbers))
        answer = HttpResponse("\r\n".join(["number", *map(masked, numbers), ""]), content_type=exports.CSV)
        answer["Content-Disposition"] = f'attachment; filename="group-call-{pk}.csv"'
        return answer

    def make_view(self, request: HttpRequest, pk: int, what: str) -> HttpResponse:
        """Make a draft from this task; what the draft changes or repeats is sent from its own review."""
        require(request, "voice.view_grouptask", "voice.add_grouptask")
        task = self._posted(request, pk)
        if what not in MADE:
            raise Http404
        if what not in ("copy", "unreached"):
            require(request, "voice.launch_grouptask")
        try:
            made = MADE[what](task, by=signed_in(request))
        except ValidationError as problem:
            say_why(request, problem)
            return HttpResponseRedirect(own_page(task))
        return HttpResponseRedirect(own_page(made, "review" if made.kind in group_care.AGAIN else "edit"))

    def template_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "voice.view_grouptask", "voice.add_grouptask")
        kept = group_copies.template(self._posted(request, pk), by=signed_in(request))
        messages.success(request, _("Kept as a template: new tasks can be made from it."))
        return HttpResponseRedirect(own_page(kept))

    def verb_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Take back or try again a launch whose request was not made."""
        require(request, "voice.view_grouptask", "voice.launch_grouptask")
        task = self._posted(request, pk)
        if verb not in VERBS:
            raise Http404
        return buttons.act(request, task, verb, VERBS[verb], may_repeat=True)

    def outside_hours_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        task = get_object_or_404(GroupTask, pk=pk)
        act = group_waiting.start_outside_hours
        return calendars.outside_hours_view(self, request, task, act=act, rights=group_rights.PUT_HOURS_ASIDE)

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "voice.view_grouptask", "voice.launch_grouptask")
        task = self._posted(request, pk)
        try:
            group_tasks.cancel(task.pk, by=signed_in(request))
            messages.success(request, _("Laaffic has taken the cancelling. Calls that ring already go on."))
        except ValidationError as problem:
            say_why(request, problem)
        return HttpResponseRedirect(own_page(task))

    def resolve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "voice.view_grouptask", "voice.launch_grouptask")
        task = self._posted(request, pk)
        why = request.POST.get("why", "").strip()
        try:
            if not why:
                raise ValidationError(_("Say how you know it: it is kept with the task."))
            settle = group_tasks.say_over if request.POST.get("word") == "over" else group_tasks.not_there
            seen = whole_number(request.POST.get("seen", "")) or 0
            settle(task.pk, why=why[:120], by=signed_in(request), seen=seen)
        except ValidationError as problem:
            say_why(request, problem)
        return HttpResponseRedirect(own_page(task))

    def ask_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "voice.view_grouptask", self.sync_permission)
        task = self._posted(request, pk)
        if task.state in NOT_LEFT or not task.task_name:
            raise Http404
        say_answer(request, lambda: lookups.about_task(task))
        return HttpResponseRedirect(own_page(task))

    def _posted(self, request: HttpRequest, pk: int) -> GroupTask:
        return posted_row(request, _whole(), pk)


def _further_costs(task: GroupTask) -> list[str]:
    """The costs in words beside that on its row, of an account that was billed in several currencies."""
    return [money(cost, currency) for currency, cost in [*group_figures.costs(task).items()][1:] if cost]


def _whole() -> QuerySet[GroupTask]:
    """Tasks with all the rows that a launch needs."""
    return GroupTask.objects.select_related(*group_launching.RELATED)
