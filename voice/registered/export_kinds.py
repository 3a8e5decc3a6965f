"""Files that voice offers, registered with the app that makes them."""

from laaffic_console.exporting import kinds, lists
from laaffic_console.exporting.kinds import Kind, NotExportable, NotExportableNow, Parameters, may_see_contacts
from laaffic_console.kit.files.exporting import rights
from laaffic_console.kit.masking import masks
from laaffic_console.kit.words.said import gettext as _
from voice.exports import group_exports, record_exports, sip_exports, task_dossiers, task_recipient_exports
from voice.models import CallRecord, GroupTask, SipCall, TaskState

TASK_RECIPIENTS = "group call recipients"
TASK_DOSSIER = "group call dossier"


def register_all() -> None:
    kinds.register(
        Kind(
            name=TASK_RECIPIENTS,
            rights=(*rights(GroupTask), *rights(CallRecord)),
            title=lambda parameters: _("Recipients of %(name)s") % {"name": task_of(parameters).name},
            rows=lambda parameters, user: task_recipient_exports.rows(
                task_of(parameters), with_names=may_see_contacts(user)
            ),
            count=lambda parameters, user, most: min(task_of(parameters).number_count, most),
            expected=lambda parameters: task_of(parameters).number_count,
        )
    )
    kinds.register(
        Kind(
            name=TASK_DOSSIER,
            rights=(*rights(GroupTask), *rights(CallRecord), "gateway.view_ledgerentry", masks.SEE),
            title=lambda parameters: _("Dossier of %(name)s") % {"name": launched(parameters).name},
            rows=lambda parameters, user: task_recipient_exports.rows(
                launched(parameters), with_names=may_see_contacts(user)
            ),
            count=lambda parameters, user, most: min(launched(parameters).number_count, most),
            expected=lambda parameters: launched(parameters).number_count,
            write=lambda parameters, user, file, rows: task_dossiers.write(launched(parameters), user, file, rows),
        )
    )
    kinds.register(lists.kind_of(CallRecord, lambda shown, user: record_exports.rows(shown)))
    kinds.register(
        lists.kind_of(SipCall, lambda shown, user: sip_exports.rows(shown, with_names=may_see_contacts(user)))
    )
    kinds.register(lists.kind_of(GroupTask, lambda shown, user: group_exports.rows(shown)))


def task_of(parameters: Parameters) -> GroupTask:
    found = GroupTask.objects.filter(pk=parameters["task"]).first()
    if found is None:
        raise NotExportable(_("There is no group call %(id)s.") % {"id": parameters["task"]})
    return found


def launched(parameters: Parameters) -> GroupTask:
    """The task, whose id is in the parameter of campaigns' ids; NotExportable also for a draft."""
    found = task_of({"task": parameters["campaign"]})
    if found.state == TaskState.DRAFT:
        raise NotExportableNow(
            _("“%(name)s” is a draft: there is nothing to prove yet. Launch it first.") % {"name": found.name}
        )
    return found
