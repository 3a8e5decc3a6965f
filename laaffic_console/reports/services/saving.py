"""What may be kept under a name, by whom, and whom it may be sent to."""

from collections.abc import Collection

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.reports import asking, report_keys
from laaffic_console.reports.models import Report
from laaffic_console.reports.services import schedule

VIEW, EXPORT, ADDRESS = "reports.view_report", "reports.export_report", "reports.address_report"
MOST_RECIPIENTS = 50
LONGEST_QUERY = 4000
TIMES = ("schedule", "weekday", "month_day", "hour")  # what the next time depends on


def addresses_of(report: Report) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in report.addresses.splitlines() if line.strip()))


def check(report: Report, users: Collection[User]) -> None:
    """ValidationError, by field, for what makes no sense or its owner may not have."""
    if len(report.query) > LONGEST_QUERY:
        raise ValidationError(_("The report names too many things to be kept. Take some of its filters away."))
    try:
        asked = asking.read(report.query)
        if not Report.objects.filter(pk=report.pk, query=report.query).exists():  # what was deleted since may stay
            report_keys.require_known(asked.only)
        asked.run()
    except ValidationError as problem:
        raise ValidationError({"query": problem.messages}) from problem
    addresses = addresses_of(report)
    if addresses and not report.owner.has_perm(ADDRESS):
        raise ValidationError(
            {"addresses": _("You may send reports to people of this console only. Take the addresses away.")}
        )
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            said = _("“%(address)s” is not an email address. Write one a line.") % {"address": address}
            raise ValidationError({"addresses": said}) from None
    for user in users:
        if why := why_not(user):
            raise ValidationError({"users": why})
    if len(addresses) + len(users) > MOST_RECIPIENTS:
        raise ValidationError(
            _("A report is sent to at most %(n)d addresses. Use a mailing list.") % {"n": MOST_RECIPIENTS}
        )
    if report.schedule == Report.Schedule.NONE:
        return
    if not report.owner.has_perm(EXPORT):
        raise ValidationError({"schedule": _("You may not export reports, so none can be sent for you.")})
    if not addresses and not users:
        raise ValidationError({"schedule": _("A schedule needs recipients: people of this console, or addresses.")})


def check_name(report: Report) -> None:
    """ValidationError where its owner has another report of this name."""
    if Report.objects.filter(owner=report.owner, name=report.name).exclude(pk=report.pk).exists():
        said = _("You have a report of this name already. Give this one another name.")
        raise ValidationError({"name": said})


def keep(report: Report, users: Collection[User] | None) -> None:
    """Save it, new or changed, with the people it is sent to; `users`: None where they stay as they are."""
    if users is None:
        users = list(report.users.all()) if report.pk else []
    report.query = asking.read(report.query).query()
    report.clean_fields()
    check_name(report)
    check(report, users)
    with transaction.atomic():
        plan(report)
        report.save()
        report.users.set(users)


def why_not(user: User) -> str:
    """Why nothing can be sent to somebody; "" when it can."""
    name = user.get_username()
    if not user.is_active or not user.has_perm(VIEW):
        return _("%(name)s may not see reports. Choose somebody who may.") % {"name": name}
    if not user.email:
        return _("%(name)s has no email address. Write one into their account.") % {"name": name}
    return ""


def plan(report: Report) -> None:
    """Set when the report is sent next, in the caller's transaction, which saves it.

    What is due already is queued first; then the time stays, unless the schedule is another one.
    """
    before = Report.objects.select_for_update(no_key=True).filter(pk=report.pk).first() if report.pk else None
    now = database_clock.now()
    if before is None or any(getattr(before, name) != getattr(report, name) for name in TIMES):
        report.next_at = schedule.next_time(report, now)
    else:
        report.next_at = before.next_at
    if before is None or before.next_at is None or before.next_at > now:
        return
    if report.schedule != Report.Schedule.NONE:  # a person who ends the schedule wants nothing more of it
        schedule.queue_due(before, before.next_at)
    report.next_at = schedule.next_time(report, now)
