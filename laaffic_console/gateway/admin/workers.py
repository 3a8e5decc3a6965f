"""Workers, and what failed alone in a sweep or a reading."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.gateway.models import Trouble, WorkerHeartbeat
from laaffic_console.gateway.services.client import clock
from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.masking.masked_admin import MaskedTexts
from laaffic_console.kit.words.stored_words import in_words


@admin.register(Trouble)
class TroubleAdmin(MaskedTexts, ReadOnlyAdmin):
    """One that does not succeed again under its name, such as a record that is gone, is deleted by a person."""

    when_empty = gettext_lazy("Nothing has failed alone. What could not be applied is named here until it can.")

    typed = ("problem",)
    list_display = ["what", "problem", "first_at", "last_at", "times"]
    paginator = ModelAdmin.paginator

    @display(description=gettext_lazy("what"), ordering="name")
    def what(self, trouble: Trouble) -> str:
        return in_words(trouble.name)

    def has_delete_permission(self, request: HttpRequest, obj: Trouble | None = None) -> bool:
        return request.user.has_perm("gateway.delete_trouble")


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin):
    when_empty = gettext_lazy("No worker has run yet: start one with manage.py worker.")
    list_display = ["worker", "host", "shown_pid", "started_at", "beat_at", "restarts", "shown_skew", "stopped_at"]
    paginator = ModelAdmin.paginator
    ordering = ["-started_at"]

    @display(description=gettext_lazy("process"), ordering="pid")
    def shown_pid(self, worker: WorkerHeartbeat) -> str:
        return str(worker.pid)  # a name, and no count

    @display(description=gettext_lazy("clock"), label={"off": "warning", "well": "success"})
    def shown_skew(self, worker: WorkerHeartbeat) -> tuple[str, str] | str:
        if worker.clock_skew is None:
            return ""
        is_off = clock.is_off(worker.clock_skew)
        return ("off", _("%(n)+d s") % {"n": -worker.clock_skew}) if is_off else ("well", _("right"))
