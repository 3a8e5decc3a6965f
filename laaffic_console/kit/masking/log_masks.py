"""What logs must not hold: the secret part of an address (laws#secrets-stay-outside)."""

import logging
import re

_PUSH_ADDRESS = re.compile(r"/hooks/[^/\s\"']+")
_INVITATION = re.compile(r"(/account/invitation/)[^\s\"']+")
_TOKEN = re.compile(r"([?&]token=)[^&\s\"']+")


class MaskPushTokens(logging.Filter):
    """Django logs what it refuses; the path of a push is its secret, as are the tokens of a report's link and of an
    invitation."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "/hooks/" in message:
            record.msg, record.args = _PUSH_ADDRESS.sub("/hooks/…", message), ()
        if "/account/invitation/" in message:
            record.msg, record.args = _INVITATION.sub(r"\1…", record.getMessage()), ()
        if "token=" in message:
            record.msg, record.args = _TOKEN.sub(r"\1…", record.getMessage()), ()
        return True
