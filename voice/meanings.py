"""What the states of group calls and of calls mean, for the pages."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.registers import meanings
from laaffic_console.laaffic import CallOutcome
from voice.models.group_tasks import TaskState

OF_TASKS: dict[str, Promise] = {
    TaskState.DRAFT: _("Can be edited; Laaffic knows nothing of it."),
    TaskState.LAUNCHED: _("Its request is not made yet: it can be taken back, or it waits for its hours."),
    TaskState.HELD: _("Something spoke against it when its moment came. Its page says what; a person resumes it."),
    TaskState.SENDING: _("Its request may be under way."),
    TaskState.UNKNOWN: _(
        "Laaffic's answer was lost, or a backup was restored. "
        "It is not sent again by itself; Laaffic's list of tasks settles it."
    ),
    TaskState.SUBMITTING: _("Laaffic is taking it."),
    TaskState.WAITING: _("Laaffic has it, and its time has not come."),
    TaskState.CALLING: _("Laaffic is calling its numbers."),
    TaskState.PAUSED: _("Laaffic has stopped calling; it goes on when somebody resumes it."),
    TaskState.FINISHED: _("Laaffic has called all its numbers; records may still come."),
    TaskState.FAILED: _("Laaffic could not begin it: nobody was called."),
    TaskState.CANCELLED: _("Those who had not been called will not be called."),
    TaskState.REPLACED: _("An update took its place; the newer task goes on."),
}

OF_CALLS: dict[str, Promise] = {
    CallOutcome.ANSWERED: _("Somebody took the call."),
    CallOutcome.VOICEMAIL: _("A mailbox took the call."),
    CallOutcome.BUSY: _("The line was engaged."),
    CallOutcome.NO_ANSWER: _("It rang and nobody answered."),
    CallOutcome.DECLINED: _("Somebody declined the call."),
    CallOutcome.NO_SUCH_NUMBER: _("The network does not know this number."),
    CallOutcome.FAILED: _("The network could not make the call."),
    "ringing": _("The phone is ringing now, as far as is known."),
}

OF_HEADERS: dict[str, Promise] = {
    "callrecord.shown_cost": _("Doubtful: Laaffic named an amount that cannot be; it is in no total."),
    "callrecord.key_pressed": _("What the callee pressed on the phone during the call."),
    "sipcall.account": _("The SIP phone that rings first; when it is answered, the number is called."),
    "grouptask.progress": _("How many of its numbers Laaffic has called."),
    "grouptask.rate": _("Calls that were answered, and their share of those that have ended."),
    "grouptask.sms": _("Texts that Laaffic sent along with the calls."),
    "sipphone.account": _("By which the phone signs in at Laaffic."),
}


def register_all() -> None:
    meanings.register("header", OF_HEADERS, "states#headers-of-lists")
    meanings.register("group call", OF_TASKS, "states#group-calls")
    meanings.register("call", OF_CALLS, "states#calls")
