"""What the database keeps in English, in its reader's language: evidence, reasons, the vendor's codes.

A fact that is kept must say the same to a script, to a colleague and in a tally that counts by it. So services write it
in English, and it is translated where somebody reads it. What is listed nowhere, such as what a carrier said, is shown
as it came. A test holds this list and what services write together. Sentences that only people read, such as why a
campaign is held, are kept as words with their values: kit/words/said.py.
"""

import re
from collections.abc import Sequence
from functools import cache

from django.utils.translation import get_language, gettext, gettext_noop

KEPT_IN = "en"

# Why a message failed, where this console or Laaffic's records of calls say it
REASONS = [
    gettext_noop("longer than %(n)s characters with its fields filled in"),
    gettext_noop("nothing to read with its fields filled in"),
    gettext_noop("cannot be sent: %(unfit)s"),
    gettext_noop("not accepted by the provider"),
    gettext_noop("went to voicemail"),
    gettext_noop("busy"),
    gettext_noop("not answered"),
    gettext_noop("no answer"),
    gettext_noop("declined"),
    gettext_noop("no such number"),
    gettext_noop("the call failed"),
]

KEPT = [
    *REASONS,
    # What came of a request
    gettext_noop("the answer"),
    gettext_noop("the answer, without an id"),
    gettext_noop("the answer, after it was sent again"),
    gettext_noop("the answer, without a key"),
    gettext_noop("the answer, without a task id"),
    gettext_noop("the answer: task %(id)s"),
    gettext_noop("the answer: %(detail)s"),
    gettext_noop("the answer was lost"),
    gettext_noop("its worker died before the request left"),
    gettext_noop("its worker died after the request may have left"),
    gettext_noop("its worker died after the request may have left; the answer was lost"),
    gettext_noop("its worker died; the answer was lost"),
    gettext_noop("its process died before the request left"),
    gettext_noop("its process died; the answer was lost"),
    gettext_noop("its process ended before it left"),
    gettext_noop("its process ended before an answer"),
    gettext_noop("its sender stopped before the request left"),
    gettext_noop("its campaign or the account was stopped before the request left"),
    gettext_noop("this worker stood still just before the request left"),
    gettext_noop("the database was away just before the request left"),
    gettext_noop("cancelled before the request left"),
    gettext_noop("our own failure: %(name)s"),
    gettext_noop("%(interface)s: refused with %(code)s (%(meaning)s); it said: %(reason)s"),
    gettext_noop("request %(id)s was refused as its duplicate"),
    gettext_noop("a callback under this campaign's mark; task %(id)s"),
    gettext_noop("fileQuery lists %(name)s: %(id)s"),
    gettext_noop("a phone rang for call %(id)s"),
    gettext_noop("request %(id)s has reset it again since"),
    gettext_noop("%(source)s of call %(id)s"),
    gettext_noop("%(person)s says that it did not ring: %(why)s"),
    gettext_noop("%(person)s says that it rang: %(why)s"),
    gettext_noop("%(person)s says that it was done: %(why)s"),
    gettext_noop("%(person)s says that it was not done: %(why)s"),
    gettext_noop("%(person)s says that it is over: %(why)s"),
    gettext_noop("no record came within %(n)s hours"),
    gettext_noop("by now it would have run out; no list showed it"),
    gettext_noop("uploaded again since"),
    gettext_noop("its campaign went on without it"),
    gettext_noop("by now the upload would have lapsed"),
    gettext_noop("%(person)s says that it did not arrive: %(why)s; looked for %(n)s times"),
    # Lists that are copied from Laaffic, and who did something without signing in
    gettext_noop("sip records"),
    gettext_noop("group records"),
    gettext_noop("group tasks"),
    gettext_noop("phones %(application)s"),
    gettext_noop("shell user %(name)s"),
    gettext_noop("replied “%(word)s”"),
    # What happened to a message
    gettext_noop("settled by %(source)s by number and time: %(id)s"),
    gettext_noop("settled by %(source)s: %(id)s"),
    gettext_noop("not in the vendor's records"),
    gettext_noop("not in the vendor's records so far, which list finished messages only (asked %(when)s); %(lost)s"),
    gettext_noop(
        "the vendor's records hold one to this number that may be this message's or another's "
        "(asked %(when)s); %(lost)s"
    ),
    gettext_noop("not in the vendor's records (asked %(when)s); %(lost)s"),
    gettext_noop("no final report within %(n)s hours"),
    gettext_noop("written off: %(why)s"),
    gettext_noop("told as %(amount)s; not counted before getReport says the same"),
    gettext_noop("%(person)s takes %(amount)s: %(why)s"),
    gettext_noop("%(person)s leaves out %(amount)s: %(why)s"),
    gettext_noop("the cost was told with this state: %(state)s"),
    gettext_noop("the cost was told by Laaffic itself with this state: %(state)s"),
    gettext_noop("doubtful amount"),
    gettext_noop("amount so far"),
    gettext_noop("amount"),
    gettext_noop("a second gateway id, %(id)s, speaks for this message"),
    gettext_noop("reported %(status)s %(reason)s after its end"),
    gettext_noop("on the suppression list when its batch was claimed"),
    gettext_noop("when the audience was frozen"),
    # Where a report came from
    gettext_noop("push"),
    gettext_noop("record"),
    gettext_noop("voice push"),
    gettext_noop("voice record"),
    # What a call is about
    gettext_noop("campaign"),
    gettext_noop("email campaign"),
    gettext_noop("MMS attachment"),
    gettext_noop("audio file"),
    gettext_noop("group task"),
    gettext_noop("SIP call"),
    gettext_noop("binding request"),
    gettext_noop("number pool"),
    gettext_noop("owned number"),
    gettext_noop("SIP phones"),
    gettext_noop("SIP password"),
    # What failed alone and was left behind
    gettext_noop("giving back batch %(id)s"),
    gettext_noop("the answer to batch %(id)s"),
    gettext_noop("report about %(id)s"),
    gettext_noop("reports of batch %(id)s"),
    gettext_noop("replies of %(id)s"),
    gettext_noop("reply from %(id)s"),
    gettext_noop("deliveries of email campaign %(id)s"),
    gettext_noop("call record %(id)s"),
    gettext_noop("group call %(id)s"),
    gettext_noop("pool %(id)s"),
    gettext_noop("a row of %(id)s"),
    gettext_noop("start of campaign %(id)s"),
    gettext_noop("lost requests of campaign %(id)s"),
    gettext_noop("cancelling of campaign %(id)s"),
    gettext_noop("hold of campaign %(id)s"),
    gettext_noop("drift of campaign %(id)s"),
    gettext_noop("going on of campaign %(id)s"),
    gettext_noop("budget counter %(id)s"),
    gettext_noop("canary of campaign %(id)s"),
    gettext_noop("question %(id)s whether START was meant"),
    gettext_noop("end of campaign %(id)s"),
    gettext_noop("start of email campaign %(id)s"),
    gettext_noop("going on of email campaign %(id)s"),
    gettext_noop("end of email campaign %(id)s"),
    gettext_noop("start of group-call task %(id)s"),
    gettext_noop("end of group-call task %(id)s"),
    # What ended a hold of the account, and what was answered before
    gettext_noop("Laaffic accepts the key for this application."),
    gettext_noop("Laaffic accepts the credentials."),
    gettext_noop("There are funds again: the balance is %(amount)s."),
    gettext_noop("the balance is %(amount)s"),
    gettext_noop("Ended by a person."),
]

OF_OTHERS = frozenset({"reason", "status", "why", "word"})  # gaps with what a carrier or a person wrote

_code = re.compile(r"(-\d+) (.+)", re.DOTALL)
_gap = re.compile(r"%\((\w+)\)s")


def in_words(kept: str | None) -> str:
    """ "-10 insufficient balance", "the answer: 4711", "absent subscriber"."""
    if not kept:
        return ""
    if get_language() in (None, KEPT_IN) or kept.isdecimal():
        return kept
    return _translated(kept, KEPT) or gettext(kept)


def reason_in_words(kept: str | None) -> str:
    """Why a message failed: "-10 insufficient balance" translated, a carrier's "Rejected" as it came."""
    if not kept:
        return ""
    if get_language() in (None, KEPT_IN):
        return kept
    return _translated(kept, REASONS) or kept


def _translated(kept: str, known: Sequence[str]) -> str:
    """ "" where it is none of what is known, and no code."""
    if refused := _code.fullmatch(kept):
        return f"{refused[1]} {gettext(refused[2])}"
    for words in known:
        piece, pattern = _pattern(words)
        if piece in kept and (found := pattern.fullmatch(kept)):
            parts = found.groupdict().items()
            return gettext(words) % {name: part if name in OF_OTHERS else in_words(part) for name, part in parts}
    return ""


@cache
def _pattern(words: str) -> tuple[str, re.Pattern[str]]:
    """(their longest piece without a gap, what matches them); to look for the piece first is quick."""
    piece = max(re.split(r"%\(\w+\)s", words), key=len)
    return piece, re.compile(_gap.sub(r"(?P<\1>.*)", _literal(words)), re.DOTALL)


def _literal(words: str) -> str:
    """The words for a pattern, their gaps as they are."""
    return "".join(part if _gap.fullmatch(part) else re.escape(part) for part in re.split(r"(%\(\w+\)s)", words))
