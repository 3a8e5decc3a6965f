"""What the console says of single acts, in words that can be held against a gateway's log. Inside the installation."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from laaffic_console.gateway.models import LedgerEntry
from messaging.models import Delivery, EmailCampaign, EmailMessage, MmsAttachment, Submission
from phone_numbers.models import Binding, BindingRequest, NumberPool
from voice.models import AudioFile, GroupTask, SipCall

Standing = dict[str, Any]
DELIVERIES = {Delivery.DELIVERED: "delivered", Delivery.UNDELIVERED: "failed", Delivery.PENDING: "sending"}


def document(channel: str) -> dict[str, Any]:
    """{"rows": [{"key", "state", "evidence", "evidence_kind"}], "standing": {name: what is shown of it}}"""
    about, key_of, standing = CHANNELS[channel]
    rows = [
        {"key": key, "state": call.state, "evidence": call.evidence, "evidence_kind": call.evidence_kind}
        for call in LedgerEntry.objects.filter(about_kind__in=about).order_by("pk")
        if (key := key_of(call))
    ]
    return {"rows": rows, "standing": standing()}


def _sip_key(call: LedgerEntry) -> str:
    return SipCall.objects.values_list("callee", flat=True).get(pk=call.about_id or 0)


def _sip() -> Standing:
    return dict(SipCall.objects.order_by("-voice_id").values_list("callee", "voice_id").reverse())


def _binding_key(call: LedgerEntry) -> str:
    asked = BindingRequest.objects.get(pk=call.about_id or 0)
    return f"{asked.verb} {asked.phone_a}"


def _bindings() -> Standing:
    return dict(Binding.objects.live().values_list("phone_a", "bind_id"))


def _pool_key(call: LedgerEntry) -> str:
    return f"{call.summary['pool']} {call.summary['concurrency']}"


def _pools() -> Standing:
    pools = NumberPool.objects.filter(gone_at=None).exclude(current=None).select_related("current")
    return {pool.pool_number: pool.current.max_concurrency for pool in pools if pool.current}


def _upload_key(call: LedgerEntry) -> str:
    return str(call.summary["name"])


def _uploads() -> Standing:
    audio = AudioFile.objects.exclude(file_id="").values_list("name", "file_id")
    return {**dict(audio), **dict(MmsAttachment.objects.exclude(gateway_id="").values_list("name", "gateway_id"))}


def _task_key(call: LedgerEntry) -> str:
    return GroupTask.objects.values_list("name", flat=True).get(pk=call.about_id or 0)


def _tasks() -> Standing:
    """The tasks by name; of a person's two tries that are tasks of their own, the one that got further."""
    tasks = GroupTask.objects.order_by("key", "pk").values("name", "id", "state", "key", "looks")
    return {task["name"]: task for task in tasks}


def _email_key(call: LedgerEntry) -> str:
    return EmailCampaign.objects.values_list("subject", flat=True).get(pk=call.about_id or 0)


def _emails() -> Standing:
    return {
        campaign.subject: {"id": campaign.pk, "state": campaign.state, "mails": _mails(campaign)}
        for campaign in EmailCampaign.objects.order_by("pk")
    }


def _mails(campaign: EmailCampaign) -> dict[str, int]:
    ended = Counter(
        "not submitted" if submission == Submission.FAILED else DELIVERIES.get(Delivery(delivery), "unclear")
        for submission, delivery in EmailMessage.objects.filter(campaign=campaign).values_list("submission", "delivery")
    )
    return dict(ended)


Channel = tuple[Iterable[str], Callable[[LedgerEntry], str], Callable[[], Standing]]
CHANNELS: dict[str, Channel] = {
    "sip": (["SIP call"], _sip_key, _sip),
    "bindings": (["binding request"], _binding_key, _bindings),
    "pools": (["number pool"], _pool_key, _pools),
    "uploads": (["audio file", "MMS attachment"], _upload_key, _uploads),
    "group-calls": (["group task"], _task_key, _tasks),
    "email": (["email campaign"], _email_key, _emails),
}
