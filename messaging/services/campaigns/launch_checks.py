"""What is looked at before a campaign is launched: what stops it, what needs a reason, what needs a tick.

A person's launch is checked again when the button is pressed, so that nothing is launched that was not seen. A launch
from the shell or at its time obeys only what `starting.launch` itself refuses; the shell tells what was not asked.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.words import countries, dates
from messaging.hours import opening_hours
from messaging.hours.opening_hours import WHOLE_WEEK
from messaging.models import Campaign, CampaignState
from messaging.services.approvals import approval_rules
from messaging.services.audience import audience_counts, given_numbers, recipient_clocks, repeats
from messaging.services.campaigns import canary_sizes, drafts
from messaging.services.contacts import pastes
from messaging.services.forecast import forecast
from messaging.services.forecast.forecast import Forecast
from messaging.services.gates import sending_hours
from messaging.services.launching import checks, restored_drafts
from messaging.services.launching.checks import Check, Level, NotSeen

MOST_SECONDS = 2.0  # that a launch from the shell waits for a count
NAMED = 3  # of the numbers that are left out, and of campaigns with the same text
Look = Callable[[Campaign, Forecast], Iterator[Check]]


def of(campaign: Campaign, planned: Forecast) -> list[Check]:
    return checks.in_order(check for look in LOOKS for check in look(campaign, planned))


def require(
    campaign: Campaign, *, ticked: set[str], reasons: Mapping[str, str], sentences: Mapping[str, str] | None = None
) -> dict[str, str]:
    """{key: reason} as given; NotSeen where something is missing (checks.require)."""
    planned = forecast.of(campaign)
    if not planned.counted.is_done:
        raise NotSeen([_("The recipients are still being counted. Launch it when all are known.")])
    return checks.require(of(campaign, planned), ticked=ticked, reasons=reasons, sentences=sentences)


def not_asked(campaign_id: int) -> list[str]:
    """What a page would not launch the draft without, if that is known soon: for launches without a page."""
    campaign = Campaign.objects.filter(pk=campaign_id, state=CampaignState.DRAFT).first()
    if campaign is None or drafts.problems_of(campaign, drafts.check_ready):
        return []
    audience_counts.renew(campaign)
    give_up_at = time.monotonic() + MOST_SECONDS
    while not audience_counts.of(campaign).is_done and time.monotonic() < give_up_at:
        time.sleep(0.02)  # each look counts on for a moment, unless somebody else counts
    planned = forecast.of(campaign)
    if not planned.counted.is_done:
        return [_("The recipients are not all counted yet: what speaks against it is known when they are.")]
    return [check.sentence for check in of(campaign, planned) if check.level != Level.NOTE]


def _grouped(number: int) -> str:
    return number_format(number, force_grouping=True)


def _content(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    for sentence in drafts.problems_of(campaign, drafts.check_ready):
        yield Check("content", Level.STOP, sentence)


def _nobody(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    """Stop a launch that would reach nobody. If nobody was chosen, or only empty groups, `_content` says so already."""
    if planned.counted.is_done and not planned.recipients and drafts.has_somebody(campaign):
        yield Check("nobody", Level.STOP, _("Nobody would get it: everybody chosen is suppressed or left out."))


def _approval(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if planned.counted.is_done and (missing := approval_rules.missing(campaign, planned)):
        yield Check("approval", Level.STOP, missing)


def _same_text(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if n := planned.counted.repeated:
        like = Campaign.objects.filter(pk__in=repeats.campaigns_like(campaign)[:NAMED])
        sentence = ngettext(
            "%(n)s of these recipients got the same text within the last 24 hours, or it still waits to be sent to "
            "them: %(campaigns)s.",
            "%(n)s of these recipients got the same text within the last 24 hours, or it still waits to be sent to "
            "them: %(campaigns)s.",
            n,
        )
        yield Check("same_text", Level.REASON, sentence % {"n": _grouped(n), "campaigns": _names(like)})
    elif opened := repeats.still_open(campaign):
        said = _("%(campaigns)s sends the same text to a group, audience or number that is chosen here too.")
        yield Check("same_text", Level.REASON, said % {"campaigns": _names(opened)})


def _names(campaigns: Iterable[Campaign]) -> str:
    return ", ".join(f"“{campaign.name}”" for campaign in campaigns)


def _restored(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    yield from restored_drafts.check(campaign)


def _account(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    yield from checks.account(campaign.application_id)


def _balance(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    yield from checks.balance(planned.cost)


def _budgets(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    leaves = starts_at(campaign, planned)
    yield from checks.budget(campaign.application, planned.recipients, planned.cost, leaves=leaves)


def _too_long(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if n := planned.counted.too_long:
        sentence = ngettext(
            "%(n)s recipient gets nothing: the text is too long with the fields filled in.",
            "%(n)s recipients get nothing: the text is too long with the fields filled in.",
            n,
        )
        yield Check("too_long", Level.TICK, sentence % {"n": _grouped(n)})


def _blank(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if n := planned.counted.blank:
        sentence = ngettext(
            "%(n)s recipient gets nothing: with the fields filled in there is nothing to read.",
            "%(n)s recipients get nothing: with the fields filled in there is nothing to read.",
            n,
        )
        yield Check("blank", Level.TICK, sentence % {"n": _grouped(n)})


def _lacking_fields(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    for field, n in planned.lacking_fields.items():
        yield Check(
            f"field:{field}",
            Level.TICK,
            ngettext(
                "%(n)s of the first recipients has no %(field)s. Give the field something to say instead: %(example)s",
                "%(n)s of the first recipients have no %(field)s. Give the field something to say instead: %(example)s",
                n,
            )
            % {"n": _grouped(n), "field": field, "example": "{{" + field + "|…}}"},
        )


def _invalid(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    wrong, told = planned.counted.invalid, given_numbers.left_out(campaign)
    twice = min(len(told.repeated), planned.counted.merged)
    if not wrong and not twice:
        return
    said = []
    if wrong:
        sentence = ngettext(
            "%(n)s of the given numbers is invalid, and is left out.",
            "%(n)s of the given numbers are invalid, and are left out.",
            wrong,
        )
        said += [sentence % {"n": _grouped(wrong)}, *pastes.in_words(told.invalid, wrong, NAMED)]
    if twice:
        sentence = ngettext(
            "%(n)s of the given numbers is there twice, and gets it once: %(which)s.",
            "%(n)s of the given numbers are there twice, and get it once: %(which)s.",
            twice,
        )
        said.append(sentence % {"n": _grouped(twice), "which": _first(told.repeated, twice)})
    yield Check("invalid", Level.TICK, " ".join(said))


def _no_country(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    yield from checks.no_country(forecast.by_country(planned.counted).get("", 0))


def _first(numbers: Sequence[str], n: int) -> str:
    """The first of `n` numbers in quotation marks, masked unless the viewer may see them."""
    named = [f"“{masked(number)}”" for number in numbers[:NAMED]]
    return ", ".join([*named, "…"] if n > len(named) else named)


def _night(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if campaign.local_time or sending_hours.rules_of(campaign) is not None:
        return  # nobody is reached at a time that was not chosen for them
    yield from checks.night(recipient_clocks.at(forecast.starts_at(campaign), planned.counted))


def _hours(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    """Countries where no moment suits every clock: their messages would never leave by themselves."""
    if (rules := sending_hours.rules_of(campaign)) is None:
        return
    if never := recipient_clocks.never_open(rules, planned.counted, forecast.starts_at(campaign)):
        said = _("No hour suits all time zones of %(where)s: these wait. Give them hours of their own in the calendar.")
        yield Check("hours", Level.TICK, said % {"where": ", ".join(map(countries.row_of, never))})


def _own_time(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    wall = sending_hours.wall_time(campaign.local_time)
    if wall and (gone := recipient_clocks.passed(wall, planned.counted, timezone.now())):
        said = _("It is later than %(time)s already in %(where)s: there it leaves at once.")
        where = ", ".join(map(countries.row_of, gone))
        yield Check("own_time", Level.TICK, said % {"time": dates.wall(wall), "where": where}, moves=True)


def _end(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    """Recipients who would be reached only after its latest end, by its start, their clocks and its calendar."""
    if (end := campaign.latest_end) is None:
        return
    if end <= _starts(campaign, planned):
        yield Check("end", Level.STOP, sending_hours.begins_after_its_end(end))
    elif late := recipient_clocks.begins_after(end, _opening(campaign), planned.counted):
        said = ngettext(
            "%(n)s recipient in %(where)s would be reached after its latest end only: that message does not leave by "
            "itself.",
            "%(n)s recipients in %(where)s would be reached after its latest end only: those messages do not leave by "
            "themselves.",
            sum(late.values()),
        )
        where = ", ".join(map(countries.row_of, late))
        yield Check("end", Level.TICK, said % {"n": _grouped(sum(late.values())), "where": where}, moves=True)


def _starts(campaign: Campaign, planned: Forecast) -> dt.datetime:
    starts: dt.datetime = forecast.starts_at(campaign)
    wall = sending_hours.wall_time(campaign.local_time)
    return max(starts, recipient_clocks.first_moment(wall, planned.counted)) if wall else starts


def _opening(campaign: Campaign) -> Callable[[str, Sequence[str]], dt.datetime | None]:
    """When it may first reach a number of this country that can be in these zones; None where it never may."""
    rules, wall = sending_hours.rules_of(campaign) or WHOLE_WEEK, sending_hours.wall_time(campaign.local_time)
    starts = forecast.starts_at(campaign)

    def opens(country: str, zones: Sequence[str]) -> dt.datetime | None:
        begins = max(starts, opening_hours.at_wall_time(zones, wall)) if wall else starts
        return opening_hours.next_open(zones, rules.of(country), begins)

    return opens


def starts_at(campaign: Campaign, planned: Forecast) -> dt.datetime | None:
    """When the first of its recipients would be sent something, by its time, their clocks and its calendar."""
    return recipient_clocks.first_reached(_opening(campaign), planned.counted)


def _late(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if campaign.scheduled_at and campaign.scheduled_at <= timezone.now() and not campaign.local_time:
        yield Check("late", Level.TICK, _("Its time has passed: it starts at once."))


def _few_first(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    if not campaign.canary or not planned.counted.is_done or not planned.recipients:
        return
    try:
        size = canary_sizes.size(campaign.canary, planned.recipients)
    except canary_sizes.InvalidSize:
        return  # said of its content
    if size >= planned.recipients:
        said = ngettext(
            "“A few first” covers its only recipient: everything is sent at once, nothing waits.",
            "“A few first” covers all of its %(n)s recipients: everything is sent at once, nothing waits.",
            planned.recipients,
        )
        yield Check("canary", Level.TICK, said % {"n": _grouped(planned.recipients)})


def _workers(campaign: Campaign, planned: Forecast) -> Iterator[Check]:
    yield from checks.no_worker()


LOOKS: list[Look] = [
    *(_content, _nobody, _approval, _restored, _same_text, _account, _balance, _budgets),
    *(
        _too_long,
        _blank,
        _lacking_fields,
        _invalid,
        _no_country,
        _night,
        _hours,
        _own_time,
        _end,
        _late,
        _few_first,
        _workers,
    ),
]
