"""Reports: the page that answers, and what is kept under a name."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.exporting import delivery
from laaffic_console.gateway.services.reporting import DIMENSIONS
from laaffic_console.kit import exports as files
from laaffic_console.kit.console_admin import ModelAdmin
from laaffic_console.kit.pages import page, require
from laaffic_console.kit.people import signed_in
from laaffic_console.reports import asking, asking_form, report_file
from laaffic_console.reports.models import Report
from laaffic_console.reports.tables import ROWS_A_PAGE, Table, address

VIEW = "reports.view_report"


@admin.register(Report)
class ReportAdmin(ModelAdmin):
    list_display = ["name"]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("show/", wrap(self.show_view), name="reports_report_show"),
            path("export/<slug:kind>/", wrap(self.export_view), name="reports_report_export"),
            *super().get_urls(),
        ]

    def show_view(self, request: HttpRequest) -> HttpResponse:
        """A report; all that it asks stands in the address."""
        require(request, VIEW)
        asked = asking.read(request.GET)
        context: dict[str, Any] = {**asking_form.context(asked), "asked": asked, "query": asked.query(), "opts": None}
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
            first=report.period.first.isoformat(),
            last=report.period.last.isoformat(),
            before_first=report.compared_with.first.isoformat() if report.compared_with else "",
            before_last=report.compared_with.last.isoformat() if report.compared_with else "",
            zone=timezone.get_current_timezone_name(),
            heads=table.heads(),
            lines=table.lines(list(shown.object_list)),
            total=table.total(),
            shown=shown,
            chart=table.chart(),
            chart_by=label_of_first(report.by),
            reasons=table.reasons(),
            is_empty=not report.rows,
            wider=[(label, address(asked, period=word)) for word, label in asking.PERIODS.items() if word == "30_days"],
            without_filters=address(asked, only={}),
            exports=[(kind.upper(), reverse("admin:reports_report_export", args=[kind])) for kind in files.KINDS]
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
