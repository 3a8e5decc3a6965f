"""The page before a launch asks alike for a small world and for a larger one, with every option set in both."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application, BalanceReading
from laaffic_console.gateway.services.client import account
from messaging.models import Approval, Calendar, Campaign, Contact, ContactGroup, GroupMembership, ListPrice
from messaging.services.approvals import approvals
from messaging.services.audience import audience_counting, audience_counts
from messaging.services.budgets import budgets
from messaging.services.campaigns import drafts
from messaging.services.saved_audiences import audiences

pytestmark = pytest.mark.django_db

COUNTRIES = ["IN", "BD", "DE", "GB", "FR", "BR"]
LIMITS = [(per, currency) for per in ("day", "month") for currency in ("", "USD", "EUR")]
TEXT = "Hi {{name|you}}, {{city}}"


@pytest.fixture(autouse=True)
def _cautious(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    settings.LAAFFIC_FREQUENCY_CAP_DAY = 2
    settings.LAAFFIC_MARKETING_NEEDS_CONSENT = False
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 1
    account.laaffic_client.cache_clear()
    monkeypatch.setattr(audience_counting, "STRETCH", 4)  # contacts: the larger world has several
    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 60.0)  # however busy the machine is


def people(group: ContactGroup, count: int, countries: int) -> None:
    """So many more, in so many countries."""
    first = 919_876_500_000 + Contact.objects.count()
    made = Contact.objects.bulk_create(
        Contact(number=str(first + n), country=COUNTRIES[n % countries], attributes={"city": "Pune"})
        for n in range(count)
    )
    GroupMembership.objects.bulk_create(GroupMembership(contact=contact, group=group) for contact in made)


def world(user: Any, many: int) -> Campaign:
    """A draft with every option, and of each so many."""
    application = Application.objects.create(app_id=f"app{many:05d}", channel="sms")
    for per, currency in LIMITS[:many]:
        budgets.put(application, per=per, currency=currency, limit=Decimal(1))
    groups, left_out = ([ContactGroup.objects.create(name=f"{kind} {many} {n}") for n in range(many)] for kind in "ab")
    for group in groups:
        people(group, 3 * many, min(many, len(COUNTRIES)))
    for n in range(many):
        ListPrice.objects.get_or_create(
            country=COUNTRIES[n % 6], defaults={"price": Decimal("0.01"), "currency": "USD"}
        )
    meant = [
        audiences.create(name=f"{many} {n}", condition=f'attribute.city = "Pune" or attribute.city = "P{n}"')
        for n in range(many)
    ]
    hours = "\n".join(["mon-sun 09:00-20:00", *(f"{country}: mon-fri 10:00-19:00" for country in COUNTRIES[:many])])
    chosen = {"groups": groups, "excluded_groups": left_out, "audiences": meant}
    usual = {"name": f"draft {many}", "application": application, "sender_id": "", "text": f"{TEXT} {many}"}
    for n in range(many):
        like = drafts.create(**{**usual, "name": f"before {n}"}, **chosen)
        Campaign.objects.filter(pk=like.pk).update(state="running", launched_at=timezone.now())
    return drafts.create(
        **usual,
        **chosen,
        numbers=[f"+91 98765 1{n:04d}" for n in range(many)],
        calendar=Calendar.objects.create(name=f"hours {many}", hours=hours),
        canary="5%",
        purpose="marketing",
        rate_per_second=10,
        by=user,
    )


def asked(client: Client, campaign: Campaign) -> list[str]:
    address = reverse("admin:messaging_campaign_review", args=[campaign.pk])
    client.get(address)  # the first page of a process fills what it keeps
    with CaptureQueriesContext(connection) as queries:
        page = client.get(address)
    assert page.status_code == 200
    assert page.context["counted"].is_done
    assert page.context["approval"] is not None
    return [query["sql"] for query in queries]


def test_it_asks_alike_for_one_of_each_and_for_many(admin_client: Client, admin_user: Any) -> None:
    BalanceReading.objects.create(at=timezone.now(), balance=Decimal(1))
    small, large = world(admin_user, 1), world(admin_user, 3)
    for draft in (small, large):
        approvals.ask(draft.pk, by=admin_user)

    few, many = asked(admin_client, small), asked(admin_client, large)

    assert len(many) == len(few)
    assert Approval.objects.count() == 2
