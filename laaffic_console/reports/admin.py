"""Reports: the page that answers, and what is kept under a name."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from unfold.decorators import display

from laaffic_console.exporting import delivery
from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.admin.page_links import PageLink
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.files import exports
from laaffic_console.kit.forms.shared_rows import SharedRowAdmin
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import own_page, page, posted_row, require
from laaffic_console.kit.words import dates, state_colours
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import whole_number
from laaffic_console.reports import asking, asking_form, report_file
from laaffic_console.reports.models import Report, ReportLink, Sending
from laaffic_console.reports.report_form import ReportForm
from laaffic_console.reports.reporting import DIMENSIONS
from laaffic_console.reports.services import saving, schedule, spreadsheets
from laaffic_console.reports.tables import ROWS_A_PAGE, Table, address

VIEW = "reports.view_report"
SHOW = "admin:reports_report_show"
SAVED_SHOWN = 12
SENDINGS_SHOWN = 10
NO_SERVER = gettext_lazy(
    "This console has no mail server yet. Ask the person who runs it to set EMAIL_URL and EMAIL_FROM."
)


LAST_STATE = Subquery(Sending.objects.filter(report=OuterRef("pk")).order_by("-id").values("state")[:1])
STATE_COLOURS = state_colours.of(Sending.State, queued="info", sent="success", partly="warning", broken_off="danger")


@admin.register(Report)
class ReportAdmin(SharedRowAdmin, ModelAdmin):
    """Saved reports: one's own, and those that others share."""

    when_empty = gettext_lazy(
        "Ask for a report, then keep it under a name: it can be shared, sent by email and read by a link."
    )
    when_empty_link = PageLink("admin:reports_report_show", gettext_lazy("Show a report"), "reports.view_report")

    form = ReportForm
    list_display = ["name", "opened", "owner", "is_shared", "shown_schedule", "next_at", "last_sending"]
    list_filter = ["is_shared", "schedule"]
    list_filter_sheet = False
    list_select_related = ["owner"]
    list_per_page = 50
    search_fields = ["name"]
    actions = None
    list_links = (when_empty_link,)
    change_form_outer_after_template = "reports/saved.html"
    fieldsets = [
        (None, {"fields": ["name", "is_shared", "query"]}),
        (
            gettext_lazy("By email"),
            {"fields": ["schedule", "weekday", "month_day", "hour", "format", "users", "addresses"]},
        ),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Report | None = None) -> Any:
        """Addresses are for anyone who may write to any; what it asks is shown in words beside the form."""
        hidden = set() if request.user.has_perm(saving.ADDRESS) else {"addresses"}
        if obj is not None and not self.has_change_permission(request, obj):
            hidden.add("query")
        known, (title, by_email) = super().get_fieldsets(request, obj)
        if not settings.EMAIL_IS_SET and not (obj and obj.next_at):  # planned already, the panel beside it says so
            by_email = {**by_email, "description": NO_SERVER}
        return [
            (name, {**options, "fields": [field for field in options["fields"] if field not in hidden]})
            for name, options in (known, (title, by_email))
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        found: QuerySet[Report] = super().get_queryset(request).annotate(last_state=LAST_STATE)
        if request.user.is_superuser:
            return found
        return found.filter(Q(owner=signed_in(request)) | Q(is_shared=True))

    def has_change_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        return super().has_change_permission(request, obj) and _is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        """Anyone who may delete an account may delete what goes with it."""
        may = _is_theirs(request, obj) or request.user.has_perm("auth.delete_user")
        return super().has_delete_permission(request, obj) and may

    def get_form(self, request: HttpRequest, obj: Report | None = None, change: bool = False, **kwargs: Any) -> Any:
        made = super().get_form(request, obj, change=change, **kwargs)
        made.owner = obj.owner if obj is not None and obj.owner_id else signed_in(request)
        return made

    def save_model(self, request: HttpRequest, obj: Report, form: Any, change: bool) -> None:
        saving.plan(obj)
        super().save_model(request, obj, form, change)

    def said_when_saved(self, request: HttpRequest, row: Report) -> str:
        said = super().said_when_saved(request, row)
        if row.next_at is None:
            return said
        return format_html("{} {}", said, _("It is sent next on %(at)s.") % {"at": dates.planned(row.next_at)})

    @display(description=gettext_lazy("report"))
    def opened(self, report: Report) -> str:
        return format_html('<a class="c-link" href="{}">{}</a>', address_of(report), _("Open"))

    @display(description=gettext_lazy("sent by email"), ordering="schedule")
    def shown_schedule(self, report: Report) -> str:
        return schedule_in_words(report)

    @display(description=gettext_lazy("last sending"), label=STATE_COLOURS)
    def last_sending(self, report: Report) -> tuple[str, Any] | str:
        state = report.last_state  # type: ignore[attr-defined]
        return (state, Sending.State(state).label) if state else "–"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("show/", wrap(self.show_view), name="reports_report_show"),
            path("export/<slug:kind>/", wrap(self.export_view), name="reports_report_export"),
            path("keep/", wrap(self.keep_view), name="reports_report_keep"),
            path("<int:pk>/send/", wrap(self.send_view), name="reports_report_send"),
            path("<int:pk>/link/", wrap(never_cache(self.link_view)), name="reports_report_link"),
            path("<int:pk>/unlink/", wrap(self.unlink_view), name="reports_report_unlink"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        report = self.get_object(request, object_id)
        known: dict[str, Any] = {}
        if report is not None and self.has_view_permission(request, report):
            known = self._about(request, report)
        return super().change_view(request, object_id, form_url, {**known, **(extra_context or {})})

    def _about(self, request: HttpRequest, report: Report) -> dict[str, Any]:
        is_theirs = report.owner_id == request.user.pk
        return {
            "report": report,
            "open_page": address_of(report),
            "asks": asking.title(asking.read(report.query)),
            "period": asking.PERIODS.get(asking.read(report.query).period, ""),
            "sendings": report.sendings.all()[:SENDINGS_SHOWN],
            "sees_problems": is_theirs or request.user.is_superuser or request.user.has_perm(saving.ADDRESS),
            "link": ReportLink.objects.filter(report=report).first(),
            "may_link": is_theirs and request.user.has_perms(spreadsheets.RIGHTS),
            "may_unlink": is_theirs or request.user.is_superuser,
            "may_send": self.has_change_permission(request, report) and request.user.has_perms(report_file.RIGHTS),
            "link_days": spreadsheets.DAYS,
            "has_no_server": bool(report.next_at) and not settings.EMAIL_IS_SET,
            "now": timezone.now(),
        }

    def send_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send it now, beside what is planned."""
        report = self._theirs(request, pk)
        require(request, *report_file.RIGHTS)
        schedule.send_now(report)
        messages.success(request, _("It is being sent. This page says what came of it."))
        return _to_page_of(report)

    def link_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The address is on this answer and never again."""
        report = self._theirs(request, pk)
        days = whole_number(request.POST.get("days", "")) or 0
        try:
            token = spreadsheets.make(report, signed_in(request), days)
        except ValidationError as problem:
            say_why(request, problem)
            return _to_page_of(report)
        request.made_at = own_page(report)  # type: ignore[attr-defined]  # for sent_once.py
        found = f"{settings.CONSOLE_URL}{reverse('read_report', args=[pk])}?{urlencode({'token': token})}"
        answer = page(
            self,
            request,
            "reports/link.html",
            report.name,
            report=report,
            address=found,
            formula=f'=IMPORTDATA("{found}")',
            expires_at=ReportLink.objects.get(report=report).expires_at,
        )
        answer["Referrer-Policy"] = "no-referrer"
        return answer

    def unlink_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        report = self._get(request, pk)
        if spreadsheets.revoke(report, signed_in(request)):
            messages.success(request, _("The link no longer works."))
        return _to_page_of(report)

    def keep_view(self, request: HttpRequest) -> HttpResponse:
        """Replace what a report of one's own asks by what the page shows."""
        report = self._theirs(request, whole_number(request.POST.get("report", "")) or 0)
        before, report.query = report.query, asking.read(request.POST.get("query", "")).query()
        try:
            saving.check(report, report.users.all())
        except ValidationError as problem:
            say_why(request, problem)
        else:
            with transaction.atomic():
                report.save(update_fields=["query"])
                record(Act.CHANGED, report, changes=[["query", before, report.query]])
            messages.success(request, _("“%(name)s” was updated: it asks what is shown here.") % {"name": report.name})
        return HttpResponseRedirect(f"{reverse(SHOW)}?{report.query}")

    def _get(self, request: HttpRequest, pk: int) -> Report:
        """The report that a POST is about; 404 where it is not there for them."""
        require(request, VIEW)
        return posted_row(request, self.get_queryset(request), pk)

    def _theirs(self, request: HttpRequest, pk: int) -> Report:
        report = self._get(request, pk)
        if not self.has_change_permission(request, report):
            raise PermissionDenied
        return report

    def show_view(self, request: HttpRequest) -> HttpResponse:
        """A report; all that it asks is in the address."""
        require(request, VIEW)
        asked = asking.read(request.GET)
        own = Report.objects.filter(owner=signed_in(request))
        shared = Report.objects.filter(is_shared=True).exclude(owner=signed_in(request)).select_related("owner")
        context: dict[str, Any] = {
            **asking_form.context(asked),
            "asked": asked,
            "query": asked.query(),
            "as_new": urlencode({"query": asked.query()}),
            "opts": None,
            "own": [(report, address_of(report)) for report in own[:SAVED_SHOWN]],
            "shared": [(report, address_of(report)) for report in shared[:SAVED_SHOWN]],
            "not_sent": own.annotate(last_state=LAST_STATE).filter(last_state__in=Sending.BAD)[:SAVED_SHOWN],
            "may_save": request.user.has_perm("reports.add_report"),
        }
        try:
            report = asked.run()
        except ValidationError as problem:
            return page(self, request, "reports/report.html", _("Reports"), **context, problems=problem.messages)
        table = Table(report, asked, signed_in(request))
        shown = Paginator(report.rows if report.by else [], ROWS_A_PAGE).get_page(request.GET.get("page"))
        may_export = request.user.has_perms(report_file.RIGHTS)
        return page(
            self,
            request,
            "reports/report.html",
            _("Reports"),
            **context,
            report=report,
            first=dates.day(report.period.first),
            last=dates.day(report.period.last),
            before_first=dates.day(report.compared_with.first) if report.compared_with else "",
            before_last=dates.day(report.compared_with.last) if report.compared_with else "",
            zone=timezone.get_current_timezone_name(),
            heads=table.heads(),
            lines=table.lines(list(shown.object_list)),
            total=table.total(),
            has_no_country=table.has_no_country,
            never_sent=table.never_sent,
            shown=shown,
            chart=table.chart(),
            chart_by=label_of_first(report.by),
            reasons=table.reasons(),
            is_empty=not report.rows,
            wider=[(asking.PERIODS["30_days"], address(asked, period="30_days"))],
            without_filters=address(asked, only={}),
            exports=[(kind.upper(), reverse("admin:reports_report_export", args=[kind])) for kind in exports.KINDS]
            if may_export
            else [],
        )

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        asked = asking.read(request.GET)
        answer: HttpResponse = delivery.deliver(
            request,
            report_file.KIND,
            {"query": asked.query()},
            kind,
            file_name="report",
            back=address(asked),
        )
        return answer


def label_of_first(by: tuple[str, ...]) -> str:
    return str(DIMENSIONS[by[0]]) if by else ""


def address_of(report: Report) -> str:
    return f"{reverse(SHOW)}?{report.query}"


def schedule_in_words(report: Report) -> str:
    hour = f"{report.hour:02}:00"
    if report.schedule == Report.Schedule.WEEKLY:
        day = Report.Weekday(report.weekday).label
        return _("every %(day)s at %(hour)s") % {"day": day, "hour": hour}
    if report.schedule == Report.Schedule.MONTHLY:
        return _("on day %(day)d of each month at %(hour)s") % {"day": report.month_day, "hour": hour}
    return "–"


def _is_theirs(request: HttpRequest, report: Report | None) -> bool:
    return report is None or report.owner_id == request.user.pk or bool(request.user.is_superuser)


def _to_page_of(report: Report) -> HttpResponseRedirect:
    return HttpResponseRedirect(own_page(report))
