"""What logs must not hold: the secret part of a callback's address (laws#secrets-stay-outside)."""

import logging
import re

_PUSH_ADDRESS = re.compile(r"/hooks/[^/\s\"']+")


class MaskPushTokens(logging.Filter):
    """Django logs the path of a request that it refuses; the path of a push is its secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "/hooks/" in message:
            record.msg, record.args = _PUSH_ADDRESS.sub("/hooks/…", message), ()
        return True
