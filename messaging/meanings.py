"""What each state means, in a sentence: shown wherever the state's word is."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.registers import meanings

OF_MESSAGES: dict[str, Promise] = {
    "queued": _("Waits for its turn: the rate, a hold, its time, a worker."),
    "claimed": _("In a request that may be under way right now."),
    "unknown": _(
        "Laaffic's answer was lost, or a backup was restored. "
        "It is not sent again by itself; evidence or a person settles it."
    ),
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
    "restored": _("It may have left after the backup was made"),
    "answered": _("Answered, reports are still to come"),
    "done": _("Every message has ended"),
    "failed": _("Every message has ended, most of them badly"),
    "cancelled": _("Was cancelled before it left"),
}

OF_EMAIL_CAMPAIGNS: dict[str, Promise] = {
    "draft": _("Can be edited; nothing is sent before it is launched."),
    "scheduled": _("Starts by itself at its time."),
    "sending": _("Its one request waits for its turn or is under way."),
    "unknown": _(
        "Laaffic's answer was lost, or a backup was restored. "
        "It is not sent again by itself; a callback or a person settles it."
    ),
    "running": _("Laaffic has it; what happened to each email comes in."),
    "held": _("It was refused or something speaks against it. Its page says what; a person resumes it."),
    "finished": _("Nothing is awaited any more; a late callback still counts."),
    "cancelled": _("It had not left, and never will."),
}

# By the numbers of `Submission` and `Delivery`.
OF_SUBMISSIONS: dict[str, Promise] = {
    "0": _("The callback's word is in no language that the console knows."),
    "10": _("Laaffic did not hand the email on: it reached nobody."),
    "20": _("Laaffic handed the email on; whether it arrived is reported separately."),
}
OF_DELIVERIES: dict[str, Promise] = {
    "0": _("There is nothing to ask about: the email was not submitted."),
    "10": _("The mailbox has not answered yet; Laaffic is asked again."),
    "20": _("Laaffic never reported what happened to it."),
    "30": _("The mailbox did not take it."),
    "40": _("The mailbox took it."),
}

OF_FIGURES: dict[str, Promise] = {
    "accepted_today": _("The gateway took them; their reports come later."),
    "delivered_today": _("The carrier says that they reached the phone."),
    "failed_today": _("Rejected, undelivered or never reported on."),
    "unknown_now": _(
        "Their answer was lost, or a backup was restored. "
        "They are not sent again by themselves; evidence or a person settles them."
    ),
    "campaign_segments": _("The parts that the accepted messages are billed as, by the console's own count."),
    "campaign_cost": _("What delivery reports said was charged so far, each currency for itself."),
}

OF_IMPORTS: dict[str, Promise] = {
    "preview": _("Nothing is stored yet: say what each column is, and import it."),
    "queued": _("A worker starts it as soon as one is free."),
    "running": _("Its rows are being stored; what is stored stays if it stops."),
    "finished": _("Every row was read; what was not taken is in its list of bad rows."),
    "failed": _("It could not be read on, and says why; what had been stored stays."),
    "cancelled": _("A person stopped it; what had been stored stays."),
    "undone": _("What it brought was taken back, except what somebody changed or used since."),
}
# How long Laaffic knows an attachment of MMS.
OF_CLOCKS: dict[str, Promise] = {
    "none": _("Laaffic does not have it yet; a campaign uploads it by itself."),
    "live": _("Laaffic has it, for three days from its upload."),
    "soon": _("Laaffic soon forgets it; a campaign that goes on longer uploads it again by itself."),
    "lapsed": _("Laaffic has forgotten it; the file is kept here, and a campaign uploads it again by itself."),
}
OF_CONVERSATIONS: dict[str, Promise] = {
    "open": _("Somebody may still have to answer."),
    "done": _("No answer is needed; it reopens by itself when the person writes again."),
}
OF_APPROVALS: dict[str, Promise] = {
    "asked": _("A second person has to approve or refuse it before it can be launched."),
    "approved": _("It may be launched as it was shown; an edit voids this."),
    "refused": _("It cannot be launched as it is; change it and ask again."),
    "void": _("The draft was changed, or approval was requested again: this decision no longer counts."),
    "withdrawn": _("The request was taken back: nobody is asked to approve it. It can be changed, or asked for again."),
}
# Meanings of column headers in lists, by model and column, where the header could be misunderstood.
OF_HEADERS: dict[str, Promise] = {
    "campaign.shown_progress": _(
        "All recipients; while it goes on also the share that is done, and how many leave a second."
    ),
    "campaign.shown_delivered": _("The share that reached the phone, of those whose end is known."),
    "campaign.shown_failed": _("Rejected, undelivered or never reported on."),
    "campaign.shown_cost": _("What delivery reports said was charged so far, each currency for itself."),
    "message.shown_segments": _("The parts that a message is billed as: what its report named, else as counted here."),
    "message.settled_at": _("When it was known what had happened to its request."),
    "message.reported_at": _("When the carrier says that it ended."),
    "contactimport.unchanged": _("Rows that add nothing to an existing contact."),
    "contactimport.invalid": _("Rows that were not taken; the import's page says why and gives them as a file."),
    "reply.source": _("Whether Laaffic pushed it, or it was found when Laaffic was asked."),
    "contact.shown_validity": _("Valid: in a known range of its country. Possible: only its length is right."),
    "contact.country": _("As its number says."),
    "message.shown_reason": _("What Laaffic or the carrier said of it."),
    "message.cost": _("What its report said was charged."),
    "contactimport.rows": _("Rows that were read so far, the bad ones too."),
    "contactimport.updated": _("Rows that said something new of a contact that was there already."),
    "reply.answers": _("The newest campaign that had left for this number before the reply, within 30 days."),
    "reply.obeyed": _("It has a word that opts out: the number was suppressed on this channel."),
    "suppressionentry.channel": _("What is no longer sent to it; with Every channel it is nothing at all."),
    "suppressionentry.shown_source": _("Where the entry came from: a reply, a file, a page or a command."),
    "messagetemplate.shown_version": _(
        "Goes up each time its text is saved again; a campaign keeps the one it was written with."
    ),
    "audience.shown_condition": _("Contacts that match when a campaign is launched."),
    "calendar.hours": _("In the recipient's own time."),
    "budget.gone": _("What left in this day or month, or may have left."),
    "budget.lifted": _("Who let sending go on above the limit for the rest of the period, and why."),
    "approval.recipients": _("As counted when approval was asked for."),
    "approval.cost": _("As expected when approval was asked for."),
    "frequencycap.per_day": _("The most that one person gets over all campaigns of the channel."),
    "frequencycap.per_week": _("The most that one person gets over all campaigns of the channel."),
    "listprice.charged": _("What reports of the last campaigns said was charged."),
    "listprice.difference": _("How much more or less was charged than the list says."),
    "mmsattachment.clock": _("Whether Laaffic knows the file now; it forgets it three days after the upload."),
    "emailcampaign.shown_list": _("Laaffic keeps it: the console knows its size, not who is on it."),
    "emailmessage.submitted": _("Whether Laaffic handed the email on."),
    "emailmessage.delivered": _("Whether the mailbox took it."),
    "emailmessage.told_at": _("When the first callback about it came."),
}


def register_all() -> None:
    meanings.register("import", OF_IMPORTS, "states#imports")
    meanings.register("attachment", OF_CLOCKS, "states#attachments")
    meanings.register("conversation", OF_CONVERSATIONS, "states#conversations")
    meanings.register("approval", OF_APPROVALS, "states#approvals")
    meanings.register("header", OF_HEADERS, "states#headers-of-lists")
    meanings.register("message", OF_MESSAGES, "states#messages")
    meanings.register("campaign", OF_CAMPAIGNS, "states#campaigns")
    meanings.register("email campaign", OF_EMAIL_CAMPAIGNS, "states#email-campaigns")
    meanings.register("submission", OF_SUBMISSIONS, "states#emails")
    meanings.register("delivery", OF_DELIVERIES, "states#emails")
    meanings.register("figure", OF_FIGURES, "states#figures")
