"""Attachments and the messages that carry them, as the gateway handles them."""

import base64
import binascii
import itertools
from dataclasses import dataclass
from typing import Any

from laaffic_console.sandbox.families import Door, FamilyOfInterfaces, Gateway, Route
from laaffic_console.sandbox.fates import segments_of
from laaffic_console.sandbox.parameters import text
from laaffic_console.sandbox.protocol import REASONS, Refusal, check_application, success

FILE_TYPES = ["png", "jpg", "jpeg", "bmp", "gif", "webp", "psd", "svg", "tiff", "mp3", "wav", "txt", "vcf"]
PICTURES = ("png", "jpg", "jpeg", "bmp", "gif", "webp")
LARGEST = 50 * 1024
KEPT = 3 * 86400  # seconds
PRODUCTS = "sms mms"


@dataclass(slots=True)
class Attachment:
    attachment_id: str
    file_type: str
    data: bytes
    uploaded_at: float


class MmsInterfaces(FamilyOfInterfaces):
    reasons = REASONS | {"-21": "Data validation exception", "-24": "Data does not exist"}

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self.forget()

    def forget(self) -> None:
        self.attachments: dict[str, Attachment] = {}
        self._ids = itertools.count(1)

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/mmsUpload", self.upload, acts=True),
            Route("POST", "/mmsSend", self.send, acts=True),
        ]

    def doors(self) -> list[tuple[str, str, Door]]:
        return [("GET", "/attachments", self._door_attachment)]

    def _door_attachment(self, given: dict[str, Any]) -> dict[str, Any]:
        """An uploaded file; a picture that no browser would run as a page comes along to be shown."""
        attachment = self.attachments.get(given.get("id", ""))
        if attachment is None:
            raise ValueError("no such attachment")
        image = ""
        if attachment.file_type in PICTURES:
            image = f"data:image/{attachment.file_type};base64,{base64.b64encode(attachment.data).decode()}"
        return {"type": attachment.file_type, "bytes": len(attachment.data), "image": image}

    def upload(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        file_type, encoded = text(given, "fileType"), text(given, "fileData")
        if file_type not in FILE_TYPES:
            raise Refusal("-22", f"fileType is one of {' '.join(FILE_TYPES)}")
        if not encoded:
            raise Refusal("-22", "fileData is empty")
        try:
            data = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise Refusal("-21", "fileData is not Base64") from None
        if not data or len(data) > LARGEST or (self.options.strict_mms_size and len(encoded) > LARGEST):
            raise Refusal("-21", "an attachment has at most 50 KB")
        attachment_id = f"57_{next(self._ids)}_{int(now * 1000)}.{file_type}"
        self.attachments[attachment_id] = Attachment(attachment_id, file_type, data, self.gateway.aged(now))
        return success(self.options, **({} if self.options.dialect == "seed" else {"data": attachment_id}))

    def send(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        app_id = text(given, "appId")
        check_application(app_id, PRODUCTS, self.options)
        numbers, content = [n for n in text(given, "numbers").split(",") if n], text(given, "content")
        self._check_text(given, content)
        files = self._attached(text(given, "mmsFiles"), now)
        if not numbers:
            raise Refusal("-8")
        if len(numbers) > 1000:
            raise Refusal("-7")
        abnormal = [n for n in numbers if not (n.isdecimal() and 7 <= len(n) <= 15) or n in self.faults.abnormal]
        if abnormal and not self.options.leave_out_abnormal:
            raise Refusal("-9")
        kept = [n for n in numbers if n not in abnormal and n not in self.faults.leave_out]
        if not self.store.has_funds([(kept, content)]):
            raise Refusal("-10")
        orders = [""] * len(kept)
        made = self.store.accept(app_id, kept, content, "", orders, now, title=text(given, "mmsTitle"), files=files)
        fields: dict[str, Any] = {}
        if self.options.dialect != "seed":
            fields = {"success": str(len(made)), "fail": str(len(numbers) - len(made))}
            fields["array"] = [{"msgId": m.msg_id, "number": m.number} for m in made]
        if self.options.dialect != "vendor":
            fields["msgIds"] = [m.msg_id for m in made]
        return success(self.options, **fields)

    def _check_text(self, given: dict[str, Any], content: str) -> None:
        if not content:
            raise Refusal("-4")
        if len(content) > 1024:
            raise Refusal("-5")
        if len(text(given, "mmsTitle")) > 80:
            raise Refusal("-22", "mmsTitle has at most 80 characters")
        kind = text(given, "mmsType") or "1"
        if kind not in ("1", "2"):
            raise Refusal("-22", "mmsType is 1 or 2")
        if kind == "2" and segments_of(content) > 1:
            raise Refusal("-5", "with a random subject the content is one billing unit")

    def _attached(self, given: str, now: float) -> list[str]:
        files = [entry for entry in given.split(",") if entry]
        if not 1 <= len(files) <= 3:
            raise Refusal("-22", "mmsFiles has 1 to 3 attachments")
        if any(entry not in self._live(now) for entry in files):
            raise Refusal("-24", "an attachment does not exist or has expired")
        return files

    def _live(self, now: float) -> dict[str, Attachment]:
        oldest = self.gateway.aged(now) - KEPT
        return {name: attachment for name, attachment in self.attachments.items() if attachment.uploaded_at > oldest}

    def received(self, now: float) -> dict[str, list[dict[str, Any]]]:
        live = self._live(now)
        rows = [
            {
                "attachment": attachment.attachment_id,
                "type": attachment.file_type,
                "bytes": len(attachment.data),
                "state": "kept" if name in live else "expired",
            }
            for name, attachment in reversed(list(self.attachments.items())[-100:])
        ]
        return {"MMS attachments": rows}
