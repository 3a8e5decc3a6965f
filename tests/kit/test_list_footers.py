"""Under a list stands how many there are, in words that a number can stand before."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import BalanceReading

pytestmark = pytest.mark.django_db


def footer(client: Client, page: str) -> str:
    shown = client.get(reverse(page)).content.decode()
    return " ".join(shown.partition('<div class="py-4">')[2].partition("</div>")[0].split())


@pytest.mark.parametrize(("readings", "said"), [(0, "0 results"), (1, "1 result"), (2, "2 results")])
def test_a_list_that_is_named_as_a_whole_counts_results(admin_client: Client, readings: int, said: str) -> None:
    for _ in range(readings):
        BalanceReading.objects.create(at=timezone.now(), balance=1, gift=0, credit=0, currency="USD")

    assert footer(admin_client, "admin:gateway_balancereading_changelist") == said


def test_any_other_counts_what_it_lists(admin_client: Client) -> None:
    assert footer(admin_client, "admin:messaging_contact_changelist") == "0 contacts"


def test_every_list_is_named_in_the_plural_or_as_a_whole() -> None:
    odd = [
        str(model._meta.verbose_name_plural)
        for model, its_admin in admin.site._registry.items()
        if not any(word.endswith("s") for word in str(model._meta.verbose_name_plural).split())
        and not getattr(its_admin, "is_named_as_a_whole", False)
    ]

    assert odd == []
