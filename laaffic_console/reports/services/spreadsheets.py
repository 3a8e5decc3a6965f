"""Links by which a spreadsheet reads a report: a token in the address, for IMPORTDATA and Power Query send no headers.

A token is made for one report, shown once and kept as a digest; it runs out, and it reads what its owner may read.
"""

import datetime as dt
import hashlib
import hmac
import secrets

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.said import gettext
from laaffic_console.reports import asking
from laaffic_console.reports.models import Report, ReportLink
from laaffic_console.reports.reporting import Report as Figures
from laaffic_console.reports.services.saving import EXPORT, VIEW

LINK = "reports.link_report"
RIGHTS = (VIEW, EXPORT, LINK)
DAYS = (30, 90, 365)
LONGEST_TOKEN = 200


class Closed(Exception):
    """A plain sentence, with the HTTP status that goes with it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def make(report: Report, by: User, days: int) -> str:
    """A new token, the only time that it can be read; one that there was opens nothing any more."""
    _require_owner(report, by)
    if days not in DAYS:
        raise ValidationError(_("A link lasts 30, 90 or 365 days. Choose one of these."))
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    fresh = {"digest": _digest(token), "made_at": now, "expires_at": now + dt.timedelta(days=days)}
    with transaction.atomic():
        ReportLink.objects.update_or_create(report=report, defaults={**fresh, "uses": 0, "last_used_at": None})
        record(Act.EXPORTED, report, event=gettext("a link for spreadsheets, for %(n)d days") % {"n": days})
    return token


def revoke(report: Report, by: User) -> bool:
    """False when there was none. Anyone who owns it may always close it."""
    if report.owner_id != by.pk and not by.is_superuser:
        raise PermissionDenied
    with transaction.atomic():
        was_there = bool(ReportLink.objects.filter(report=report).delete()[0])
        if was_there:
            record(Act.CHANGED, report, event=gettext("its link for spreadsheets taken away"))
    return was_there


def _require_owner(report: Report, by: User) -> None:
    if report.owner_id != by.pk or not by.has_perms(RIGHTS):
        raise PermissionDenied


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def read(report_id: int, token: str) -> Figures:
    """Closed with one answer for a report that is not there, has no link, or another token: nobody learns which."""
    # Not `report_id`: SQLite fails on a number that no column holds, unless it is compared with a key itself.
    link = ReportLink.objects.select_related("report__owner").filter(report__pk=report_id).first()
    given = _digest(token[:LONGEST_TOKEN])
    if not hmac.compare_digest(given, link.digest if link else _digest("")) or link is None:
        raise Closed(404, _("There is no report at this address. Make a new link on the report's page."))
    if link.expires_at <= timezone.now():
        raise Closed(403, _("This link has expired. Make a new one on the report's page."))
    owner = link.report.owner
    if not owner.is_active or not owner.has_perms(RIGHTS):
        raise Closed(403, _("The person who made this link may no longer share reports. Ask somebody who may."))
    try:
        found = asking.read(link.report.query).run()
    except ValidationError as problem:
        raise Closed(400, " ".join(problem.messages)) from problem
    ReportLink.objects.filter(pk=link.pk).update(last_used_at=timezone.now(), uses=F("uses") + 1)
    return found
