"""What Laaffic's answers say to people: here alone a code becomes a sentence. What a code means: `laaffic/codes.py`.

`repeats`: whether the request is repeated, or divided, by itself. The sentence promises that only where it is true.
"""

from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import CodeEntry, Family, LaafficError, Refused, lookup
from laaffic_console.laaffic.codes import FOREIGN, foreign


def refused(refusal: Refused, *, repeats: bool = False) -> str:
    """The code, its meaning, and what to do next."""
    return _refused_as(refusal.entry, repeats=repeats)


def refused_value(refusal: Refused) -> str:
    """The sentence for a refused value, with Laaffic's own words, which may say what is wrong with it."""
    return _refused_as(refusal.entry, refusal.reason[:200], repeats=False)


def refused_before(family: Family, code: str, reason: str) -> str:
    """The sentence for a refusal of a single act that the ledger keeps."""
    http_status = code.removeprefix(FOREIGN)
    proxy_said = foreign(int(http_status)) if http_status != code and http_status.isdecimal() else None
    return _refused_as(proxy_said or lookup(family, code), reason, repeats=False)


def said(problem: LaafficError) -> str:
    """The sentence on why nothing came of a request."""
    return refused(problem) if isinstance(problem, Refused) else problem.message


def nothing_was_sent(problem: LaafficError) -> str:
    """The sentence for what somebody wants done, and has to ask for again."""
    if isinstance(problem, Refused):
        return refused(problem)
    return _("Nothing was sent: %(why)s. Fix that, then try again.") % {"why": problem.message[:200].rstrip(".")}


def not_read(problem: LaafficError) -> str:
    """The sentence for a list that is read again by itself."""
    if isinstance(problem, Refused):
        return refused(problem, repeats=True)
    why = {"why": problem.message[:150]}
    return _("No usable answer from Laaffic (%(why)s). The next synchronisation tries again.") % why


def not_answered(problem: LaafficError) -> str:
    """The sentence for what somebody wants to know now: nothing asks again by itself."""
    if isinstance(problem, Refused):
        return refused(problem)
    why = {"why": problem.message[:150]}
    return _("No usable answer from Laaffic (%(why)s). Nothing was done. Try again in some minutes.") % why


def _refused_as(entry: CodeEntry, reason: str = "", *, repeats: bool) -> str:
    meaning = f"{_(entry.meaning)} (“{reason}”)" if reason else _(entry.meaning)
    shown = {"code": entry.code, "meaning": meaning, "advice": _(entry.advice if repeats else entry.advice_alone)}
    if entry.is_foreign:
        return _("The answer was %(code)s, and not Laaffic's: %(meaning)s. %(advice)s") % shown
    return _("Laaffic refused with %(code)s: %(meaning)s. %(advice)s") % shown
