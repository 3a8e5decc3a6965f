"""An act whose outcome is not known is not repeated by accident.

Anyone who sees no answer and presses again, or runs a command again, reaches people twice. So the same act within a day
(same application, same digest of what is asked) is refused while the ledger has an open row of it, unless somebody
says why it is done anyway. The reason is kept in the new row's summary.
"""

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import IS_OPEN_ENTRY, Application, LedgerEntry
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank

WITHIN = dt.timedelta(hours=24)
FIELD = "again"  # the field of forms, and the option of commands
LONGEST_REASON = 200
About = tuple[str, int]  # the kind and the id of what a row of the ledger is about


class StillOpen(NotNow):
    """The same act is already open as `what`, since `when`; the error is shown at the field for the reason.

    `is_waiting`: its request has not left yet, and does so by itself, however long ago it was launched.
    """

    def __init__(self, what: str, when: dt.datetime, *, is_waiting: bool = False) -> None:
        shown = {"what": what, "when": dates.exact(when)}
        said = _(
            "The same was asked for within the last 24 hours (%(what)s, %(when)s), and what happened to it is not "
            "known yet. Look there first. Say why it is done anyway."
        )
        if is_waiting:
            said = _(
                "The same was launched already (%(what)s, %(when)s), and leaves by itself. Look there first. Say why "
                "it is done anyway."
            )
        self.sentence = said % shown
        super().__init__({FIELD: self.sentence})


class MayHaveLeftBefore(StillOpen):
    """What a backup brought back may have been asked for since it was made; `said` says so."""

    def __init__(self, said: str) -> None:
        self.sentence = _("%(said)s Say why it is launched anyway.") % {"said": said}
        NotNow.__init__(self, {FIELD: self.sentence})


def rows() -> QuerySet[LedgerEntry]:
    """What was asked for within a day and has no known outcome, the newest first."""
    since = timezone.now() - WITHIN
    return LedgerEntry.objects.filter(IS_OPEN_ENTRY, prepared_at__gte=since).order_by("-pk")


def like(
    digest: str, application: Application | None, *, anywhere: bool = False, but: About | None = None
) -> LedgerEntry | None:
    """The newest of the same digest; `anywhere`: by whichever application; `but`: not what is about this one itself."""
    # Few have the digest. Asked for its application, SQLite would go through all that this one ever asked.
    for opened in rows().filter(digest=digest):
        is_its_own = but is not None and (opened.about_kind, opened.about_id) == but
        if not is_its_own and (anywhere or opened.application_id == (application and application.pk)):
            return opened
    return None


def require(
    digest: str, application: Application, *, again: str = "", anywhere: bool = False, but: About | None = None
) -> dict[str, Any]:
    """What the new row's summary says of an open act; StillOpen where a reason is missing.

    In the transaction that prepares the new row: of two at the same moment the second finds the first one's. With
    `anywhere` by another application of its channel, too, whose request reaches the same person. `but`: as `like`.
    """
    looked_at = Q(channel=application.channel) if anywhere else Q(pk=application.pk)
    list(Application.objects.select_for_update(no_key=True).filter(looked_at).order_by("pk"))
    return decide(like(digest, application, anywhere=anywhere, but=but), again)


def decide(opened: LedgerEntry | None, again: str) -> dict[str, Any]:
    if opened is None:
        return {}
    if is_blank(again):
        raise StillOpen(_("ledger row %(id)d") % {"id": opened.pk}, opened.prepared_at)
    return {"all the same": again.strip()[:LONGEST_REASON], "open row": opened.pk}
