"""The language of audiences: what it says, what it refuses, and that the database says the same as plain Python."""

import datetime as dt
from dataclasses import dataclass, field

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laaffic_console.gateway.models import Application
from messaging.conditions import condition_texts, conditions
from messaging.conditions.conditions import (
    Condition,
    ConditionError,
    Contains,
    Contrary,
    Either,
    Every,
    Happened,
    InCampaign,
    InGroup,
    IsSet,
    Never,
    OneOf,
    Replied,
)
from messaging.models import (
    Batch,
    Campaign,
    Contact,
    ContactGroup,
    GroupMembership,
    Message,
    MessageState,
    Reply,
    SuppressionEntry,
)
from messaging.services.saved_audiences import audience_sql, audiences
from messaging.services.saved_audiences.condition_sql import Rules
from tests.plans import plan

WHOLE = (
    'country in (IN, bd) and language = EN and attribute.city = "Pune" and not group "Staff" '
    "and last_delivered < 30 days ago and not in campaign 12"
)


def test_the_words_of_the_contract_are_read() -> None:
    assert condition_texts.parse(WHOLE) == Every(
        (
            OneOf("country", ("IN", "BD")),
            OneOf("language", ("en",)),
            OneOf("attribute.city", ("Pune",)),
            Contrary(InGroup("Staff")),
            Happened("last_delivered", before=True, hours_ago=720),
            Contrary(InCampaign(12)),
        )
    )


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("country = IN or country = BD and language = en", Either),
        ("(country = IN or country = BD) and language = en", Every),
    ],
)
def test_and_binds_closer_than_or(text: str, means: type) -> None:
    assert isinstance(condition_texts.parse(text), means)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("not in group Staff", Contrary(InGroup("Staff"))),
        ('group in ("A", "B")', Either((InGroup("A"), InGroup("B")))),
        ('attribute."shoe size" is not set', Contrary(IsSet("attribute.shoe size"))),
        ("attribute.city contains “un”", Contains("attribute.city", "un")),
        ("attribute.city == 'St John\\'s'", OneOf("attribute.city", ("St John's",))),
        ("attribute.city != Pune", Contrary(OneOf("attribute.city", ("Pune",)))),
        ("imported since 2026-03-31", Happened("imported", before=False, day="2026-03-31")),
        ("added after 2026-03-31", Happened("added", before=False, day="2026-04-01")),
        ("added <= 2026-03-31", Happened("added", before=True, day="2026-04-01")),
        ("last_replied never", Never("last_replied")),
        ("last_opted_out >= 2 weeks ago", Happened("last_opted_out", before=False, hours_ago=336)),
    ],
)
def test_each_kind_of_test_is_read_and_kept(text: str, means: Condition) -> None:
    found = condition_texts.parse(text)

    assert found == means
    assert conditions.from_json(conditions.as_json(found)) == found


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("", 0, "Say who"),
        ("city = Pune", 0, "begins with one of"),
        ("country = IND", 10, "not a country"),
        ("country IN", 10, "in brackets"),
        ("country = IN language = en", 13, "“and” or “or”"),
        ("(country = IN", 13, "bracket at character 1 is not closed"),
        ('attribute.city = "Pune', 17, "never closed"),
        ("attribute.city = 'Pune", 17, "never closed"),
        ("attribute city = Pune", 10, "behind a dot"),
        ('attribute.city = ""', 17, "is not set"),
        ("last_delivered < 30", 17, "30 days ago"),
        ("last_delivered < 2026-02-30", 17, "no such day"),
        ("last_delivered < 0001-01-01", 17, "The year 1 is out of range"),
        ("added since 9999-12-31", 12, "The year 9999 is out of range"),
        ("last_delivered soon", 15, "Say when"),
        ("last_replied < 99999999999999 days ago", 15, "too long ago"),
        ("added never", 0, "Every contact was added"),
        ("in campaign spring", 12, "number"),
        ("replied campaign 12", 8, "replied to campaign 12"),
        ("country = IN; drop", 12, "is not expected here"),
        ("not " * 60 + "country = IN", 120, "too many brackets"),
        ("country = IN " * 400, 4000, "at most 4000"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(text: str, at: int, says: str) -> None:
    with pytest.raises(ConditionError, match=says) as caught:
        condition_texts.parse(text)
    assert caught.value.at == at
    assert f"character {at + 1}" in str(caught.value)


@pytest.mark.django_db
class UnknownTests:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ('group "Stuff"', "no group “Stuff”. Is “Staff” meant"),
            ("in campaign 99", "no campaign 99.*campaign list"),
            ("not replied to campaign 99", "no campaign 99.*campaign list"),
            ("attribute.citty = Pune", "No contact has an attribute “citty”. Is “city” meant"),
            ("attribute.shoes = 7", "“shoes”. Attributes are: city"),
        ],
    )
    def test_what_is_not_there_is_said_with_what_may_be_meant(self, text: str, says: str) -> None:
        ContactGroup.objects.create(name="Staff")
        Contact.objects.create(number="919876500000", attributes={"city": "Pune"})

        with pytest.raises(ValidationError, match=says):
            audiences.read(text)


# What the database says is what Python says.

NOW = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
PEOPLE, GROUPS, CITIES = 5, ("a", "b"), ("Pune", "Punei", "")
COUNTRIES, LANGUAGES, DAYS = ("IN", "BD", ""), ("en", "EN", "hi", ""), (1, 5, 9)
STATES = (MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.REJECTED, MessageState.ACCEPTED)


@dataclass
class Person:
    country: str
    language: str
    city: str
    groups: set[int] = field(default_factory=set)
    added: int = 1  # days ago
    is_imported: bool = False
    sent: list[tuple[int, MessageState, int]] = field(default_factory=list)  # campaign, state, days ago
    replied: list[tuple[int, int]] = field(default_factory=list)  # to which campaign, days ago
    opted_out: list[int] = field(default_factory=list)

    def last(self, what: str) -> int | None:
        """Days ago."""
        states = {
            "last_delivered": {MessageState.DELIVERED},
            "last_failed": {MessageState.UNDELIVERED, MessageState.REJECTED},
        }
        if what in states:
            return min((days for _campaign, state, days in self.sent if state in states[what]), default=None)
        others = {"last_replied": [days for _campaign, days in self.replied], "last_opted_out": self.opted_out}
        if what in others:
            return min(others[what], default=None)
        return self.added if what == "added" or self.is_imported else None


def is_so(condition: Condition, person: Person) -> bool:
    match condition:
        case Every():
            return all(is_so(part, person) for part in condition.parts)
        case Either():
            return any(is_so(part, person) for part in condition.parts)
        case Contrary():
            return not is_so(condition.part, person)
        case OneOf():
            return value_of(condition.field, person) in condition.values
        case Contains():
            return condition.value in value_of(condition.field, person)
        case IsSet():
            return value_of(condition.field, person) != ""
        case InGroup():
            return condition.group in person.groups
        case InCampaign():
            return any(campaign == condition.campaign for campaign, _state, _days in person.sent)
        case Replied():
            return any(campaign == condition.campaign for campaign, _days in person.replied)
        case Never():
            return person.last(condition.what) is None
        case Happened():
            last = person.last(condition.what)
            if last is None:
                return False
            happened = NOW - dt.timedelta(days=last)
            return (happened < condition.moment(NOW)) == condition.before


def value_of(name: str, person: Person) -> str:
    if name == "language":
        return person.language.lower()
    return person.country if name == "country" else person.city


people = st.lists(
    st.builds(
        Person,
        country=st.sampled_from(COUNTRIES),
        language=st.sampled_from(LANGUAGES),
        city=st.sampled_from(CITIES),
        groups=st.sets(st.integers(0, 1)),
        added=st.sampled_from(DAYS),
        is_imported=st.booleans(),
        sent=st.lists(
            st.tuples(st.integers(0, 1), st.sampled_from(STATES), st.sampled_from(DAYS)),
            max_size=2,
            unique_by=lambda sent: sent[0],
        ),
        replied=st.lists(st.tuples(st.integers(0, 1), st.sampled_from(DAYS)), max_size=2),
        opted_out=st.lists(st.sampled_from(DAYS), max_size=1),
    ),
    min_size=1,
    max_size=PEOPLE,
)
whats = st.sampled_from((*conditions.LAST, "imported", "added"))
single = st.one_of(
    st.builds(OneOf, st.just("country"), st.lists(st.sampled_from(COUNTRIES[:2]), min_size=1, max_size=2).map(tuple)),
    st.builds(OneOf, st.just("language"), st.sampled_from([("en",), ("hi",)])),
    st.builds(OneOf, st.just("attribute.city"), st.just(("Pune",))),
    st.builds(Contains, st.just("attribute.city"), st.sampled_from(["Pun", "nei", "%", "pune"])),
    st.builds(IsSet, st.sampled_from(["country", "language", "attribute.city"])),
    st.builds(InGroup, st.just(""), st.integers(0, 1)),
    st.builds(InCampaign, st.integers(0, 1)),
    st.builds(Replied, st.integers(0, 1)),
    st.builds(Happened, whats, st.booleans(), hours_ago=st.sampled_from([24 * 4, 24 * 5, 24 * 20])),
    st.builds(Happened, whats, st.booleans(), day=st.sampled_from(["2026-03-26", "2026-03-30"])),
    st.builds(Never, whats),
)
compound = st.recursive(
    single,
    lambda inner: st.one_of(
        st.builds(Every, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Either, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Contrary, inner),
    ),
    max_leaves=6,
)


def store(world: list[Person], groups: list[int], sent_by: list[int]) -> list[Contact]:
    contacts = []
    batches = {
        pk: Batch.objects.create(campaign_id=pk, first_message_id=0, last_message_id=0, size=0) for pk in sent_by
    }
    for place, person in enumerate(world):
        city = {"city": person.city} if person.city else {}
        contact = Contact.objects.create(
            number=f"91987650000{place}", country=person.country, language=person.language, attributes=city
        )
        imported = 1 if person.is_imported else None
        Contact.objects.filter(pk=contact.pk).update(
            created_at=NOW - dt.timedelta(days=person.added), imported_by=imported
        )
        GroupMembership.objects.bulk_create(
            GroupMembership(contact=contact, group_id=groups[group]) for group in person.groups
        )
        for campaign, state, days in person.sent:
            pk, at = sent_by[campaign], NOW - dt.timedelta(days=days)
            # A refusal has no report: it is the answer's moment that counts.
            moment = {"settled_at": at} if state == MessageState.REJECTED else {"reported_at": at, "settled_at": NOW}
            Message.objects.create(
                campaign_id=pk, batch=batches[pk], number=contact.number, country="IN", state=state, **moment
            )
        for campaign, days in person.replied:
            key = f"{place} {days} {Reply.objects.count()}"
            at = NOW - dt.timedelta(days=days)
            said = {"number": contact.number, "content": "hi", "campaign_id": sent_by[campaign]}
            Reply.objects.create(key=key, at=at, received_at=NOW, source="push", **said)
        for days in person.opted_out:
            entry = SuppressionEntry.objects.create(number=contact.number, reason=SuppressionEntry.Reason.OPT_OUT)
            SuppressionEntry.objects.filter(pk=entry.pk).update(created_at=NOW - dt.timedelta(days=days))
        contacts.append(contact)
    return contacts


@pytest.fixture
def two_groups(db: None) -> list[int]:
    return [ContactGroup.objects.create(name=name).pk for name in GROUPS]


@pytest.fixture
def two_campaigns(db: None) -> list[int]:
    application = Application.objects.create(app_id="smsApp01", channel="sms")
    return [Campaign.objects.create(name=name, application=application, text="hi").pk for name in GROUPS]


@given(world=people, condition=compound)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_says_what_python_says(
    two_groups: list[int], two_campaigns: list[int], world: list[Person], condition: Condition
) -> None:
    for model in (Message, Batch, Reply, SuppressionEntry, GroupMembership, Contact):
        model._base_manager.all().delete()
    contacts = store(world, two_groups, two_campaigns)

    def stored(test: Condition) -> Condition:
        if isinstance(test, InGroup):
            return InGroup("", two_groups[test.group])
        return type(test)(two_campaigns[test.campaign]) if isinstance(test, InCampaign | Replied) else test

    meant = Rules((conditions.with_tests(condition, stored),), NOW)
    expected = [contact.pk for contact, person in zip(contacts, world, strict=True) if is_so(condition, person)]

    assert audience_sql.meeting(meant, 0, contacts[-1].pk, PEOPLE) == expected
    assert audience_sql.meeting_among(meant, [contact.pk for contact in contacts]) == set(expected)
    assert audiences.count(meant).contacts == len(expected)


@pytest.mark.django_db
def test_a_count_that_is_cut_off_goes_on_where_it_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audiences, "STRETCH", 3)
    monkeypatch.setattr(audiences, "QUICK", 0)  # each as long as the first
    Contact.objects.bulk_create(Contact(number=str(919876500000 + n), country="IN") for n in range(10))
    meant = Rules((OneOf("country", ("IN",)),), timezone.now())

    parts = [audiences.count(meant, seconds=0)]
    while not parts[-1].is_done:
        parts.append(audiences.count(meant, after=parts[-1].after, seconds=0))

    assert len(parts) > 1
    assert sum(part.contacts for part in parts) == audiences.count(meant, seconds=None).contacts == 10


@pytest.mark.django_db
def test_an_answer_is_looked_up_by_the_contacts_number() -> None:
    """By the campaign's index each contact would read all that the campaign was ever answered."""
    sql, params = Rules((Replied(12),)).sql(0, 9)

    said = plan(f"SELECT c.id FROM messaging_contact c WHERE {sql}" % tuple(params))

    assert "reply_number" in said
    assert "reply_campaign" not in said
