"""What is counted, added up in reports, and proved."""

from laaffic_console.kit.registers import gauges
from laaffic_console.reports import links, reporting
from messaging.services.figures import proofs
from voice.models import GroupTask
from voice.registered.gauges import group_calls
from voice.services.group_calls import proving
from voice.services.records.period_report_source import CallReports


def register_all() -> None:
    gauges.register(group_calls)
    reporting.register(CallReports())
    links.register("group call", links.Behind(GroupTask, "admin:voice_grouptask_change", "voice.view_grouptask"))
    proofs.register(
        proofs.Proved("group_task", GroupTask, proving.prove, lambda task: task.number_count, proving.is_over)
    )
