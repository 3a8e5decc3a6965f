"""What happened to each mail: callbacks say whether it was submitted, records whether it was delivered.

Both may be late, repeated, reordered or contradict each other. What was said of a mail only ever moves up in either
column, and of one that was not submitted no delivery is awaited, so every order of the same reports ends the same
(laws#best-report-wins). Code that moves mails holds their campaign's row.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, EvidenceKind
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import known_by, ledger
from laaffic_console.gateway.services.ledger.known_by import Evidence
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import DeliveryState, EmailDelivery, EmailSubmission, SubmissionState
from messaging.models import Delivery, EmailCampaign, EmailMessage, Submission
from messaging.services import events, steps
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import counting as email_counting
from messaging.services.email import states as email_states

SUBMISSION_OF = {
    SubmissionState.SUBMITTED: Submission.SUBMITTED,
    SubmissionState.FAILED: Submission.FAILED,
    SubmissionState.UNKNOWN: Submission.UNSAID,
}
DELIVERY_OF = {DeliveryState.DELIVERED: Delivery.DELIVERED, DeliveryState.FAILED: Delivery.UNDELIVERED}
NOT_TOLD = (Delivery.PENDING, Delivery.EXPIRED)
FIRST_CHECK = dt.timedelta(seconds=20)
WITHOUT_TASK = known_by.answer_without("a task id")


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of a callback, with the mark of the address it came to."""

    mark: str
    submission: EmailSubmission

    def as_json(self) -> dict[str, Any]:
        return {"mark": self.mark, **asdict(self.submission)}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Told":
        fields = {name: value for name, value in kept.items() if name != "mark"}
        return cls(kept["mark"], EmailSubmission(**{**fields, "state": SubmissionState(fields["state"])}))


def apply(told: Sequence[Told]) -> list[bool]:
    """Apply callbacks in the caller's transaction; for each, whether its campaign is known."""
    campaign_ids = _campaigns_of(told)
    of_campaign: dict[int, list[EmailSubmission]] = defaultdict(list)
    for one, campaign_id in zip(told, campaign_ids, strict=True):
        if campaign_id is not None:
            of_campaign[campaign_id].append(one.submission)
    for campaign_id in sorted(of_campaign):  # locked in one order everywhere
        _apply_to(campaign_id, of_campaign[campaign_id])
    return [campaign_id is not None for campaign_id in campaign_ids]


def _campaigns_of(told: Sequence[Told]) -> list[int | None]:
    """The campaign of each callback: by the mark that we put into the address, else by the task; None if unknown.

    A mark counts also if no request is known: it leaves only in a request, so a restored backup lacks that request.
    """
    marks = {one.mark for one in told if one.mark}
    tasks = {one.submission.task_id for one in told if one.submission.task_id}
    known = EmailCampaign.objects.filter(Q(mark__in=marks) | Q(task_id__in=tasks))
    by_mark: dict[str, int] = {}
    by_task: dict[str, int] = {}
    for pk, mark, task_id in known.values_list("pk", "mark", "task_id"):
        by_mark[mark] = pk
        if task_id:
            by_task[task_id] = pk
    return [by_mark.get(one.mark) or by_task.get(one.submission.task_id) for one in told]


def _apply_to(campaign_id: int, submissions: Sequence[EmailSubmission]) -> None:
    campaign = steps.locked(EmailCampaign, campaign_id)
    _settle_by_callback(campaign, submissions)
    mails = _Mails(campaign_id, submissions)
    for submission in submissions:
        mails.fold(submission)
    mails.write()
    now = timezone.now()
    campaign.last_report_at = now
    if mails.has_new_to_ask_for:
        email_campaigns.reopen(campaign)
        soon = database_clock.now() + FIRST_CHECK
        campaign.next_check_at = min(campaign.next_check_at or soon, soon)
        campaign.checks = 0
    campaign.save(update_fields=["last_report_at", "next_check_at", "checks"])


def _settle_by_callback(campaign: EmailCampaign, submissions: Sequence[EmailSubmission]) -> None:
    """A callback is evidence that a request arrived, also where its answer is lost or still under way.

    Each request that arrives is a task of its own. Where one was sent again, a task that nobody knows yet is taken for
    the earliest request that waits for an answer, until another's answer names the task.
    """
    tasks = sorted({submission.task_id for submission in submissions if submission.task_id})
    said = _("A callback shows that Laaffic has it")
    if campaign.entry_id is None:
        said = _(
            "A callback shows that Laaffic has it: it was sent after the backup from which this console was restored. "
            "What was sent may differ from what is shown here"
        )
        email_states.note_missing(campaign, campaign.created_at, timezone.now())
    for task_id in tasks or [""]:
        if not (task_id and _is_known(campaign, task_id)):
            _settle_earliest(campaign, task_id)
    email_campaigns.arrived(campaign, said)
    for task_id in tasks:
        if not campaign.task_id:
            campaign.task_id = task_id[:64]
            campaign.save(update_fields=["task_id"])
        elif task_id[:64] != campaign.task_id:
            email_campaigns.note_second_task(campaign, task_id)


def told_by_answer(campaign: EmailCampaign, entry_id: int, task_id: str) -> None:
    """An answer says whose its task is: what was taken for another request's, by a callback or as a repeat was refused
    as a duplicate, was this one's, or may have been where one of the two names no task.
    """
    accepted = email_states.requests_of(campaign).filter(state=EntryState.ACCEPTED)
    guessed = accepted.filter(evidence_kind__in=[EvidenceKind.REPORT, EvidenceKind.REQUEST])
    if guessed.filter(pk=entry_id).exists():
        return
    named = guessed.filter(_names(_by_callback(task_id)) | _is_nameless()) if task_id else guessed
    if other := named.order_by("-pk").first():
        lost = known_by.no_answer("the answer was lost")
        ledger.settle_by_evidence(other.pk, EntryState.UNKNOWN, evidence=lost, provided=[EntryState.ACCEPTED])


def _by_callback(task_id: str) -> Evidence:
    """An entry keeps a task by these words alone, shortened or not."""
    return known_by.report(f"a callback under this campaign's mark; task {[task_id] if task_id else []}")


def _is_known(campaign: EmailCampaign, task_id: str) -> bool:
    names = _names(known_by.answer(f"task {task_id}"), _by_callback(task_id))
    return email_states.requests_of(campaign).filter(names).exists()


def _names(*said: Evidence) -> Q:
    """Requests that are known by one of these, as an entry keeps it."""
    return Q(evidence__in=[one.columns()["evidence"] for one in said])


def _is_nameless() -> Q:
    """Requests that have arrived as far as a callback without a task says, or the refusal of a repeat."""
    return _names(_by_callback("")) | Q(evidence_kind=EvidenceKind.REQUEST)


def _settle_earliest(campaign: EmailCampaign, task_id: str) -> None:
    """Settle the earliest open request by this callback, unless the callback may be about a request known to have
    arrived, because either of them names no task."""
    requests, evidence = email_states.requests_of(campaign), _by_callback(task_id)
    arrived = requests.filter(state=EntryState.ACCEPTED)
    if (not task_id and arrived.exists()) or arrived.filter(evidence=WITHOUT_TASK.words).exists():
        return
    if nameless := arrived.filter(_is_nameless()).first():
        ledger.settle_by_evidence(nameless.pk, EntryState.ACCEPTED, evidence=evidence, provided=[EntryState.ACCEPTED])
        return
    waiting = requests.filter(state__in=[EntryState.IN_FLIGHT, EntryState.UNKNOWN, EntryState.LAPSED])
    if earliest := waiting.order_by("pk").first():
        ledger.settle_accepted(earliest.pk, evidence=evidence)


class _Mails:
    """The rows that some callbacks are about, as they were found and as they are left."""

    def __init__(self, campaign_id: int, submissions: Sequence[EmailSubmission]) -> None:
        self.campaign_id = campaign_id
        ids = {submission.email_id[:64] for submission in submissions if submission.email_id}
        addresses = {address_of(submission) for submission in submissions if submission.to_address}
        found = EmailMessage.objects.filter(campaign_id=campaign_id)
        self.rows = list(found.filter(Q(email_id__in=ids) | Q(address__in=addresses)).order_by("pk"))
        self.before = [email_counting.standing(mail) for mail in self.rows]
        self.by_id = {mail.email_id: mail for mail in self.rows if mail.email_id}
        self.by_address: dict[str, list[EmailMessage]] = defaultdict(list)
        for mail in self.rows:
            self.by_address[mail.address].append(mail)
        self.touched: set[int] = set()
        self.has_new_to_ask_for = False

    def fold(self, submission: EmailSubmission) -> None:
        mail = self._find(submission) or self._new(submission)
        self.touched.add(id(mail))
        if submission.email_id and not mail.email_id:
            mail.email_id = mail.key = submission.email_id[:64]
            self.by_id[mail.email_id] = mail
        mail.address = mail.address or address_of(submission)
        mail.task_id = mail.task_id or submission.task_id[:64]
        said = (SUBMISSION_OF[submission.state], submission.remark[:200], submission.raw_state[:40])
        # Compared as a whole: of two that say the same state, every order keeps the same words.
        mail.submission, mail.remark, mail.raw_state = max(said, (mail.submission, mail.remark, mail.raw_state))
        if mail.email_id and mail.submission != Submission.FAILED and mail.delivery == Delivery.NONE:
            mail.delivery = Delivery.PENDING
            self.has_new_to_ask_for = True
        elif mail.submission == Submission.FAILED and mail.delivery in NOT_TOLD:
            mail.delivery = Delivery.NONE  # as if this word had come first

    def _find(self, submission: EmailSubmission) -> EmailMessage | None:
        """The mail by its id, else the address's row that has no id yet. A submission without an id falls back on the
        address's first row: it may be repeated when each row of an address that is on the list twice has its id.
        """
        if submission.email_id and (known := self.by_id.get(submission.email_id[:64])):
            return known
        address = address_of(submission)
        of_address = self.by_address[address] if address else []
        nameless = [mail for mail in of_address if not mail.email_id]
        candidates = nameless if submission.email_id else [*nameless, *of_address]
        return candidates[0] if candidates else None

    def _new(self, submission: EmailSubmission) -> EmailMessage:
        mail = EmailMessage(
            campaign_id=self.campaign_id,
            key=submission.email_id[:64] or f"@{address_of(submission)}",
            email_id=submission.email_id[:64],
            address=address_of(submission),
            told_at=timezone.now(),
        )
        self.rows.append(mail)
        self.by_address[mail.address].append(mail)
        if mail.email_id:
            self.by_id[mail.email_id] = mail
        return mail

    def write(self) -> None:
        mails = [mail for mail in self.rows if id(mail) in self.touched]
        changed = self.rows[: len(self.before)]
        fields = ["key", "email_id", "task_id", "address", "submission", "raw_state", "remark", "delivery"]
        # First what is there: a mail that gets its id now leaves the key that another one without an id takes.
        EmailMessage.objects.bulk_update([m for m in changed if id(m) in self.touched], fields, batch_size=100)
        EmailMessage.objects.bulk_create([mail for mail in mails if mail.pk is None], batch_size=200)
        after = [email_counting.standing(mail) for mail in self.rows]
        email_counting.count_moves(self.campaign_id, self.before, after)
        nowhere = (int(Submission.UNSAID), int(Delivery.NONE), "")
        new = [nowhere] * (len(self.rows) - len(self.before))
        events.mails_moved(self.rows, [*self.before, *new])


def address_of(submission: EmailSubmission) -> str:
    return submission.to_address.lower()[:254]  # "İ" in small letters is two characters


@transaction.atomic
def apply_deliveries(campaign_id: int, deliveries: Sequence[EmailDelivery]) -> int:
    """What getSendEmailRcd says of a campaign's mails; how many moved. One that it does not name is not known yet."""
    steps.locked(EmailCampaign, campaign_id)
    said: dict[str, EmailDelivery] = {}
    for delivery in deliveries:
        email_id = delivery.email_id[:64]
        best = said.get(email_id)
        if best is None or DELIVERY_OF.get(delivery.state, 0) > DELIVERY_OF.get(best.state, 0):
            said[email_id] = delivery
    mails = list(EmailMessage.objects.filter(campaign_id=campaign_id, email_id__in=said))
    moved = [mail for mail in mails if DELIVERY_OF.get(said[mail.email_id].state, 0) > mail.delivery]
    before = [email_counting.standing(mail) for mail in moved]
    for mail in moved:
        mail.delivery = DELIVERY_OF[said[mail.email_id].state]
        mail.delivered_at = said[mail.email_id].at
    EmailMessage.objects.bulk_update(moved, ["delivery", "delivered_at"], batch_size=100)
    email_counting.count_moves(campaign_id, before, [email_counting.standing(mail) for mail in moved])
    events.mails_moved(moved, before)
    return len(moved)


@transaction.atomic
def expire(campaign_id: int, up_to: int, *, told_before: dt.datetime) -> int:
    """Past its reporting window nothing more is asked about a mail; a late record still counts. `up_to`: a mail, 0 for
    all."""
    steps.locked(EmailCampaign, campaign_id)
    pending = EmailMessage.objects.filter(campaign_id=campaign_id, delivery=Delivery.PENDING, told_at__lt=told_before)
    pending = pending.filter(pk__lte=up_to) if up_to else pending
    ids = list(pending.order_by("pk").values_list("pk", flat=True)[:1000])
    mails = list(EmailMessage.objects.filter(pk__in=ids))
    before = [email_counting.standing(mail) for mail in mails]
    EmailMessage.objects.filter(pk__in=ids).update(delivery=Delivery.EXPIRED)
    for mail in mails:
        mail.delivery = Delivery.EXPIRED
    email_counting.count_moves(campaign_id, before, [email_counting.standing(mail) for mail in mails])
    events.mails_moved(mails, before)
    return len(mails)
