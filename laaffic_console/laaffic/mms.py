"""Pictures and sounds to phones: attachments and the messages that carry them."""

import base64
import datetime as dt
from collections.abc import Sequence

from laaffic_console.laaffic.codes import Family
from laaffic_console.laaffic.errors import InvalidRequest, Refused
from laaffic_console.laaffic.interfaces import (
    Interfaces,
    check_app_id,
    check_count,
    check_digits,
    check_length,
    check_words,
    joined,
)
from laaffic_console.laaffic.reports import text
from laaffic_console.laaffic.sms import MAX_CONTENT, MAX_NUMBERS_POST, SendResult, read_send_answer

FILE_TYPES = ("png", "jpg", "jpeg", "bmp", "gif", "webp", "psd", "svg", "tiff", "mp3", "wav", "txt", "vcf")
MAX_FILE = 50 * 1024  # bytes of the file itself
SURELY_SMALL = MAX_FILE * 3 // 4  # bytes: up to here the limit holds for the Base64 text too (laaffic-api#mmsupload)
MAX_ATTACHMENTS = 3
MAX_TITLE = 80
ATTACHMENT_LASTS = dt.timedelta(days=3)


class MmsApi(Interfaces):
    family = Family.SMS  # its codes and its place among the addresses

    def upload(self, *, file_type: str, data: bytes) -> str:
        """POST /mmsUpload: the attachment's id, good for three days; "" where the gateway told none.

        `file_type` is one of FILE_TYPES, `data` at most 50 KB. Repeating it after OutcomeUnknown does no harm.
        """
        if file_type not in FILE_TYPES:
            raise InvalidRequest("fileType", f"{file_type!r} is not one of {' '.join(FILE_TYPES)}")
        if not data:
            raise InvalidRequest("fileData", "the file is empty")
        if len(data) > MAX_FILE:
            raise InvalidRequest("fileData", f"{len(data):,} bytes; an attachment has at most {MAX_FILE:,}")
        body = {"fileType": file_type, "fileData": base64.b64encode(data).decode()}
        return text(self._post("/mmsUpload", body).body.get("data"))

    def send(
        self,
        *,
        app_id: str,
        numbers: Sequence[str],
        content: str,
        attachment_ids: Sequence[str],
        title: str = "",
        random_title: bool = False,
    ) -> SendResult:
        """POST /mmsSend: one content and up to three attachments to at most 1,000 numbers.

        The interface takes no orderId: answers are matched by number, and of a number that is there twice each place
        gets one of its ids. `random_title` lets the gateway choose one; then the content is at most one billing unit.
        A Refused has the ids of the attachments: −24 does not say which of them Laaffic does not know.
        """
        check_app_id(app_id)
        check_count("numbers", len(numbers), MAX_NUMBERS_POST, "numbers")
        for number in numbers:
            check_digits("numbers", number)
        check_words("content", content, MAX_CONTENT)
        check_count("mmsFiles", len(attachment_ids), MAX_ATTACHMENTS, "attachments")
        check_length("mmsTitle", title, 0, MAX_TITLE)
        body = {
            "appId": app_id,
            "numbers": ",".join(numbers),
            "content": content,
            "mmsType": "2" if random_title else "1",
            "mmsFiles": joined("mmsFiles", attachment_ids),
            "mmsTitle": title,
        }
        try:
            answer = self._post("/mmsSend", body)
        except Refused as refusal:
            refusal.file_ids = tuple(attachment_ids)
            raise
        return read_send_answer(answer, numbers, [""] * len(numbers))
