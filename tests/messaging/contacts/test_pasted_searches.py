"""Searches as people paste them: other alphabets, invisible marks, ways to write a number."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from messaging.models import Contact, Message, Reply, SuppressionEntry
from voice.models import SipCall

pytestmark = pytest.mark.django_db

AS_PASTED = [
    *("919876543210", "+91 98765 43210", "0091 98765-43210", "(91) 98765.43210", "91\u00a098765\u202f43210"),
    *("\u202a+919876543210\u202c", "٩١٩٨٧٦٥٤٣٢١٠", "91‑98765‑43210", "\ufeff919876543210", "91/9876543210"),
]


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def found(client: Client, model: Any, term: str) -> int:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return len(client.get(address, {"q": term}).context["cl"].result_list)


def test_a_number_is_found_however_it_was_pasted(root: Client) -> None:
    Contact.objects.create(number="919876543210")
    Contact.objects.create(number="919876543211")
    SuppressionEntry.objects.create(number="919876543210", channel="all", reason="opt_out")

    for model in (Contact, SuppressionEntry):
        assert {term: found(root, model, term) for term in AS_PASTED} == dict.fromkeys(AS_PASTED, 1)


def test_a_name_is_found_in_any_case_of_any_alphabet(root: Client) -> None:
    terms = ["łukasz", "ŁUKASZ", "Łuk", "иван", "ИВАН", "ömer", "ÖMER"]
    for at, name in enumerate(["Łukasz Żak", "Иван Петров", "Ömer Çelik", "Ann"]):
        Contact.objects.create(number=f"91987654321{at}", name=name)

    assert {term: found(root, Contact, term) for term in terms} == dict.fromkeys(terms, 1)


@pytest.mark.parametrize("model", [Contact, SuppressionEntry, Reply, Message, SipCall])
def test_a_search_for_nothing_in_particular_is_answered(root: Client, model: Any) -> None:
    terms = ["+", "00", "\u202a", "9" * 300, "'", "()"]

    assert {term: found(root, model, term) for term in terms} == dict.fromkeys(terms, 0)
