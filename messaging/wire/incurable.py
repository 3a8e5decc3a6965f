"""Which failures the same message would meet again: the number is the trouble, or its person's wish."""

import re

from laaffic_console.laaffic import Code

# The carriers' words are nowhere documented; these are the usual ones, in any case and with any signs between.
_WORDS = (
    r"unknown (subscriber|number|user|destination|msisdn)",
    r"(invalid|wrong|illegal|bad|abnormal|incorrect|malformed) (phone |mobile |destination |called |dest )?"
    r"(numbers?|msisdn|subscriber|address|callee|recipient)",
    r"number (is )?(invalid|wrong|illegal|error|format|incorrect|empty)",
    r"not (in use|exist|existing|assigned|allocated|in service|a mobile|a valid)",
    r"does(n t| not) exist|nonexist\w*|no such (number|subscriber|user)|(number|subscriber) not found",
    r"unallocated|unassigned|disconnected|deactivated|vacant|out of service|ported out",
    r"black ?list\w*|block ?list\w*|block(ed)? (by )?(the )?(user|subscriber|recipient|number)",
    r"(user|number|subscriber) (is )?blocked",
    r"^blocked$|^barred$|(number|subscriber|user|call) (is )?barred|call barring",
    r"opt(ed)? ?out|unsubscri\w+|suppress\w*|do not (disturb|call)|dnd|land ?line|fixed line",
    r"空号|空號|号码不存在|黑名单|退订|不存在",
)
_incurable = re.compile("|".join(rf"(?<!\w)(?:{words})" if words.isascii() else words for words in _WORDS))
# Fewer words: nobody has the number. Not a wish, nor a trouble of the carrier, nor a code of Laaffic.
_NOT_IN_USE = (
    r"unknown (subscriber|number|user|msisdn)",
    r"(invalid|wrong|malformed) (phone |mobile |destination |called )?(numbers?|msisdn|subscriber)",
    r"number (is )?invalid|not (in use|exist|existing|assigned|allocated|a valid (number|msisdn))",
    r"does(n t| not) exist|nonexist\w*|no such (number|subscriber|user)",
    r"unallocated|unassigned|vacant",
    r"空号|空號|号码不存在",
)
_not_in_use = re.compile("|".join(rf"(?<!\w)(?:{words})" if words.isascii() else words for words in _NOT_IN_USE))
_CODES = (Code.ABNORMAL_NUMBERS,)


def is_incurable(reason: str) -> bool:
    """“Unknown Subscriber”, “BLACKLISTED” and “-9 …” are; “absent subscriber”, a full handset and no reason are not."""
    code = re.match(r"-\d+\b", reason)
    return (code is not None and code.group() in _CODES) or bool(_incurable.search(_plain(reason)))


def is_not_in_use(reason: str) -> bool:
    """The carrier says that nobody has this number, so that it can be suppressed for good."""
    return not re.match(r"-\d+\b", reason) and bool(_not_in_use.search(_plain(reason)))


def _plain(reason: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", reason.lower()).split())
