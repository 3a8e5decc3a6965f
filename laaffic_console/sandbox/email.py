"""Email as the gateway handles it, with its own codes (laaffic-api#email-codes)."""

import datetime as dt
import hashlib
import itertools
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from laaffic_console.sandbox.families import Door, FamilyOfInterfaces, Gateway, Route
from laaffic_console.sandbox.options import EMAIL_CODES
from laaffic_console.sandbox.parameters import is_id, text
from laaffic_console.sandbox.protocol import Refusal, check_application, success
from laaffic_console.sandbox.store import ZONE

ADDRESSES = ["test@mailpush.laaffic.cn", "news@mail.example.com"]
TEMPLATES = [  # id, name, subject, language, status: 1 approved, 0 waiting
    ("1", "Welcome", "hello world", "en", 1),
    ("2", "Spring sale", "Everything for spring", "en", 1),
    ("3", "Not yet approved", "Soon", "en", 0),
    ("4", "Bienvenida", "Hola", "es", 1),
]
WORDS = {"en": ("success", "failure"), "zh": ("成功", "失败")}  # emailState, in the language of the platform


@dataclass(slots=True)
class Mail:
    email_id: str
    app_id: str
    task_id: str
    from_address: str
    to_address: str
    subject: str
    template_id: str
    submitted_at: float
    remark: str  # "" if it was submitted, else why not
    delivered: bool
    due_at: float

    def record_status(self, now: float) -> str:
        if self.remark:
            return "1"
        return "-1" if now < self.due_at else "0" if self.delivered else "1"


class EmailInterfaces(FamilyOfInterfaces):
    expired = "-6"
    fault_codes = EMAIL_CODES
    reasons = {
        "-1": "Authentication error",
        "-2": "Repeat request",
        "-3": "Please contact the business manager to bind the group name",
        "-4": "User locked",
        "-5": "Field is empty or the query id is abnormal",
        "-6": "Timestamp expires",
        "-7": "Incorrect time format",
        "-8": "IP access is restricted",
        "-9": "The sending address cannot be empty",
        "-10": "The sending address is not configured on the platform",
        "-11": "The template does not exist",
        "-12": "The template status is incorrect",
        "-13": "The recipient address cannot be empty",
        "-16": "The recipient list does not exist",
        "-22": "Field is empty or the query id is abnormal",
        "-23": "Port or program unusual",
        "-24": "Your account has not been verified",
        "-28": "Only 200 emailIds can be queried at a time",
    }

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self.random = random.Random(self.options.seed)  # noqa: S311 - repeatable on purpose
        self.forget()

    def forget(self) -> None:
        self.mails: dict[str, Mail] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self._submitted: dict[str, float] = {}
        self._numbers = itertools.count(1)

    def routes(self) -> list[Route]:
        routes = []
        for method in ("POST", "GET"):
            routes += [
                Route(method, "/email/batchSendEmail", self.batch_send, acts=True),
                Route(method, "/email/sendEmail", self.send, acts=True),
                Route(method, "/email/getSendEmailRcd", self.records),
                Route(method, "/email/getListEmailTemplates", self.templates),
                Route(method, "/email/getListReceivers", self.recipient_lists),
                Route(method, "/email/getListEmailAddress", self.sender_addresses),
            ]
        return routes

    def doors(self) -> list[tuple[str, str, Door]]:
        return [("GET", "/mails", self._door_mails)]

    def _door_mails(self, given: dict[str, Any]) -> dict[str, Any]:
        """Every mail, the oldest first: whether it was submitted, and what happened to it."""
        now = dt.datetime.now(dt.UTC).timestamp() + self.options.clock_offset
        states = {"0": "delivered", "1": "failed", "-1": "sending"}
        rows = [
            {"id": mail.email_id, "task": mail.task_id, "to": mail.to_address, "submitted": not mail.remark}
            | {"state": states[mail.record_status(now)]}
            for mail in self.mails.values()
        ]
        return {"total": len(rows), "mails": rows}

    def lists(self) -> dict[str, tuple[str, int]]:
        """{recipient list: its name and how many are in it}."""
        return {"1000": ("Customers", self.options.email_list_size), "1001": ("Staff", 3), "1002": ("Nobody yet", 0)}

    def batch_send(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        app_id = self._application(given)
        self._check_mail(given)
        receiver_id, url = text(given, "receiverId"), text(given, "url")
        if not receiver_id:
            raise Refusal("-13")
        if receiver_id not in self.lists():
            raise Refusal("-16")
        if not url.startswith(("http://", "https://")):
            raise Refusal("-5", "url is empty or no address")
        self._check_duplicate(given, now)
        task_id = self._id(now)
        self.tasks[task_id] = {"subject": text(given, "subject"), "list": receiver_id, "url": url}
        addresses = [f"person{index + 1}@list{receiver_id}.example" for index in range(self.lists()[receiver_id][1])]
        self._call_back(url, self._submit(given, app_id, task_id, addresses, now))
        return success(self.options, **({} if self.options.dialect == "seed" else {"taskId": task_id}))

    def send(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        app_id = self._application(given)
        self._check_mail(given)
        addresses = [address for address in text(given, "toAddress").split(",") if address]
        if not addresses:
            raise Refusal("-13")
        if len(addresses) > 50:
            raise Refusal("-5", "toAddress has at most 50 addresses")
        self._check_template_data(given)
        kept = [address for address in addresses if address not in self.faults.leave_out]
        mails = self._submit(given, app_id, "", kept, now)
        failed = sum(1 for mail in mails if mail.remark) + len(addresses) - len(kept)
        array = [{name: told for name, told in self._told(mail).items() if name != "taskId"} for mail in mails]
        return success(self.options, success=str(len(addresses) - failed), fail=str(failed), array=array)

    def records(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        app_id = self._application(given)
        ids = [email_id for email_id in text(given, "emailId").split(",") if email_id]
        if len(ids) > 200:
            raise Refusal("-28")
        if not ids or not all(map(is_id, ids)):
            raise Refusal("-5")
        counts = {"success": 0, "fail": 0, "sending": 0, "nofound": 0}
        rows = []
        for email_id in ids:
            mail = self.mails.get(email_id)
            if mail is None or mail.app_id != app_id or now - mail.submitted_at < self.options.queue_time:
                counts["nofound"] += 1
                continue
            status = mail.record_status(now)
            counts[{"0": "success", "1": "fail", "-1": "sending"}[status]] += 1
            sent = dt.datetime.fromtimestamp(mail.submitted_at, ZONE).isoformat(timespec="seconds")
            rows.append({"emailId": email_id, "toAddress": mail.to_address, "receiveTime": sent, "status": status})
        return success(self.options, **{name: str(n) for name, n in counts.items()}, array=rows)

    def templates(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        self._application(given)
        name, status, language = (text(given, key) for key in ("templateName", "templateStatus", "language"))
        rows = [
            {"templateID": key, "templateName": title, "subject": subject, "language": tongue, "templateStatus": state}
            for key, title, subject, tongue, state in TEMPLATES
            if name.lower() in title.lower() and status in ("", str(state)) and language in ("", tongue)
        ]
        return success(self.options, templateData=rows)

    def recipient_lists(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        self._application(given)
        wanted = text(given, "receiversName").lower()
        rows = [
            {
                "receiverId": int(key),
                "receiversName": name,
                "count": size,
                "desc": None,
                "createTime": "2024-06-03 10:42:05",
            }
            for key, (name, size) in self.lists().items()
            if wanted in name.lower()
        ]
        return success(self.options, receiverData=rows)

    def sender_addresses(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        self._application(given)
        return success(self.options, emailAddressData=[{"emailAddress": address} for address in ADDRESSES])

    def _application(self, given: dict[str, Any]) -> str:
        """Check the application. This family has neither −22 nor −32: an empty field is −5, an unbound group −3."""
        app_id = text(given, "appId")
        try:
            check_application(app_id, "email", self.options)
        except Refusal as refusal:
            raise Refusal("-3" if refusal.status == "-32" else "-5", refusal.reason) from None
        return app_id

    def _check_mail(self, given: dict[str, Any]) -> None:
        sender = text(given, "fromEmailAddress") or text(given, "romEmailAddress")  # as the vendor's sample spells it
        if not sender:
            raise Refusal("-9")
        if sender not in ADDRESSES:
            raise Refusal("-10")
        found = next((template for template in TEMPLATES if template[0] == text(given, "templateID")), None)
        if found is None:
            raise Refusal("-11")
        if found[4] != 1:
            raise Refusal("-12")
        if len(text(given, "subject")) > 100:
            raise Refusal("-5", "subject has 1 to 100 characters")
        if text(given, "adFlag") not in ("", "0", "1", "2"):
            raise Refusal("-5", "adFlag is 0, 1 or 2")

    def _check_template_data(self, given: dict[str, Any]) -> None:
        if said := text(given, "templateData"):
            try:
                parsed = json.loads(said)
            except ValueError:
                parsed = None
            if not isinstance(parsed, dict):
                raise Refusal("-5", "templateData is not a JSON object in a text")

    def _check_duplicate(self, given: dict[str, Any], now: float) -> None:
        """Refuse the same batch again within the window; neither window nor key are documented."""
        key = json.dumps(given, sort_keys=True, default=str)
        last = self._submitted.get(key)
        if last is not None and now - last < self.options.email_duplicate_window:
            raise Refusal("-2")
        self._submitted[key] = now

    def _submit(
        self, given: dict[str, Any], app_id: str, task_id: str, addresses: Iterable[str], now: float
    ) -> list[Mail]:
        made = [self._mail(given, app_id, task_id, address, now) for address in addresses]
        self.mails.update((mail.email_id, mail) for mail in made)
        return made

    def _mail(self, given: dict[str, Any], app_id: str, task_id: str, address: str, now: float) -> Mail:
        digest = hashlib.blake2b(f"{self.options.seed}:{address}".encode(), digest_size=6).digest()
        refused, lost, delay = (int.from_bytes(digest[index : index + 2]) / 65536 for index in (0, 2, 4))
        rate = 0.95 if self.options.delivery_rate is None else self.options.delivery_rate
        low, high = self.options.delivery_delay
        remark = "" if "@" in address and refused < max(rate, 0.98) else "The address does not exist"
        return Mail(
            email_id=self._id(now),
            app_id=app_id,
            task_id=task_id,
            from_address=text(given, "fromEmailAddress") or text(given, "romEmailAddress"),
            to_address=address,
            subject=text(given, "subject"),
            template_id=text(given, "templateID"),
            submitted_at=now,
            remark=remark,
            delivered=lost < rate,
            due_at=now + low + (high - low) * delay,
        )

    def _call_back(self, url: str, mails: list[Mail]) -> None:
        """Post one callback for each submitted mail; some twice, shuffled or late, as the options say."""
        due = [
            (mail.submitted_at - self.options.clock_offset + self.options.email_callback_delay, mail) for mail in mails
        ]
        if self.options.push_shuffle:
            self.random.shuffle(due)
        for at, mail in due:
            if mail.to_address in self.faults.leave_out:
                continue
            copies = 2 if self.random.random() < self.options.push_repeat else 1
            for copy in range(copies):
                later = self.options.push_delay + copy * self.random.random()
                self.gateway.courier.post_at(at + later, "email", url, self._told(mail))

    def _told(self, mail: Mail) -> dict[str, Any]:
        submitted, failed = WORDS[self.options.email_words]
        return {
            "taskId": mail.task_id,
            "emailId": mail.email_id,
            "toAddress": mail.to_address,
            "emailState": failed if mail.remark else submitted,
            "remark": mail.remark or submitted,
        }

    def _id(self, now: float) -> str:
        return f"{dt.datetime.fromtimestamp(now, ZONE):%y%m%d%H%M%S}{next(self._numbers):07d}"

    def received(self, now: float) -> dict[str, list[dict[str, Any]]]:
        states = {"0": "delivered", "1": "failed", "-1": "on its way"}
        rows = [
            {
                "to": mail.to_address,
                "from": mail.from_address,
                "subject": mail.subject,
                "template": mail.template_id,
                "state": mail.remark or states[mail.record_status(now)],
            }
            for mail in list(self.mails.values())[-100:]
        ]
        return {"Emails": rows[::-1]}
