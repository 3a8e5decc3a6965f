"""What each state means, in a sentence: shown wherever the state's word is."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

OF_MESSAGES: dict[str, Promise] = {
    "queued": _("Waits for its turn: the rate, a hold, its time, a worker."),
    "claimed": _("In a request that may be under way right now."),
    "unknown": _("The answer was lost. It is not sent again by itself; evidence or a person settles it."),
    "accepted": _("The gateway took it and gave an id; the report is still to come."),
    "delivered": _("The carrier says that it reached the phone."),
    "undelivered": _("The carrier says that it did not reach the phone."),
    "rejected": _("The gateway refused it: nothing was sent."),
    "suppressed": _("The number has opted out or is blocked: nothing was sent."),
    "cancelled": _("Its campaign was cancelled before it left."),
    "expired": _("No final report came in time. A late one still counts."),
}

OF_CAMPAIGNS: dict[str, Promise] = {
    "draft": _("Can be edited; nothing is sent before it is launched."),
    "scheduled": _("Starts by itself at its time."),
    "running": _("Messages are leaving."),
    "paused": _("A person stopped it; it goes on when somebody resumes it."),
    "held": _("The console stopped it by itself, and says why."),
    "finished": _("Nothing is queued, under way or unknown any more; reports may still come."),
    "cancelled": _("What had not left will never be sent."),
}

OF_BATCHES: dict[str, Promise] = {
    "queued": _("Waits for its turn"),
    "claimed": _("Its request may be under way"),
    "unknown": _("Its answer was lost"),
    "answered": _("Answered, reports are still to come"),
    "done": _("Every message has ended"),
    "failed": _("Every message has ended, most of them badly"),
}
