"""The pages of an import show a bad row's values to who sees whole numbers; its reason masks what it quotes."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from laaffic_console.kit.audit import acts
from laaffic_console.kit.masking import masks
from messaging.models import ContactImport
from messaging.services.imports import files as import_files
from messaging.services.imports import imports

pytestmark = pytest.mark.django_db(transaction=True)
BLIND = acts.Actor(1, "asha", sees_numbers=False)
ROWS = {"447700900123x": "447700900123", "+91 98765 43210 98765": "98765 43210", "+44 11 1111 1111": "11 1111 1111"}
BAD = "Phone,Name,Email\n" + "".join(f"{row},Ravi,\n" for row in ROWS) + "+919876543210,Bo,bo@@example.com\n"
NEVER = [*ROWS.values(), "441111111111", "4477009001", "bo@@example"]


@pytest.fixture
def viewer(client: Client) -> User:
    user = User.objects.create_user("asha", is_staff=True)
    rights = ["view_contact", "view_contactimport"]
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)
    return user


@pytest.mark.parametrize("is_over", [False, True])
def test_its_values_are_for_who_sees_numbers(
    client: Client, viewer: User, run_jobs: Callable[[], int], is_over: bool
) -> None:
    job = import_files.receive(SimpleUploadedFile("people.csv", BAD.encode()), group=None, region="", by=viewer)
    if is_over:
        imports.start(job.pk, mapping=job.mapping)
    run_jobs()
    address = reverse("admin:messaging_contactimport_change", args=[job.pk])

    shown = client.get(address).content.decode()
    viewer.user_permissions.add(Permission.objects.get(codename="see_numbers"))
    whole = client.get(address).content.decode()

    assert ContactImport.objects.get().state == ("finished" if is_over else "preview")
    assert "Ravi" not in shown
    assert [text for text in NEVER if text in shown] == []
    assert "bo@@example" in whole
    assert "447700900123" in whole


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("+447700900123 is in no known range.", "+4477•••••123 is in no known range."),
        ("“+91 98765-43210” is too long", "“+9198•••••210” is too long"),
        ("asha.rao@example.com has it already", "a•••@example.com has it already"),
        *[(moment, moment) for moment in ("2026-11-28T15:30:00.123456+00:00", "2026-11-28 15:30:00", "2026-11-28.")],
        *[(day, day) for day in ("born 28.11.1985.", "11/28/1985", "1-2-2004, 28.11.2026")],
        ("98765\u00a043210", "98•••••210"),
        ("28.11.1985.22", "28•••••522"),
        *[
            (f"call 98765{apart}43210 now", "call 98•••••210 now")
            for apart in (" - ", " / ", "   ", " – ", "_", "·", " · ", "] [", "\u2212", "\u200b")
        ],
        ("+91 - 98765 - 43210", "+9198•••••210"),
        ("+91 98765 - 43210", "+9198•••••210"),
        ("(0)22 - 9981 - 3456 or 12", "(022•••••456 or 12"),
        ("447700900123 - 447700900124", "4477•••••123 - 4477•••••124"),
        *[
            (other, other)
            for other in (
                *("10.00 - 18.00", "10.30 - 12.00 / 13.00 - 15.30", "1200 - 1500", "1250.50 - 1300.75"),
                *("2024 - 2025 - 2026", "12 - 01.02.2026", "01.02.2026 - 03.04.2026", "row 12 - 2026-03-01"),
                *("2026-03-01 - 2026-03-05", "contacts_2026_03_01.csv", "invoice 2026 / 000123", "order 4711 / 12"),
            )
        ],
        (
            "On 2026-11-28 at 15:30 in row 12,345: 7 to 15 digits",
            "On 2026-11-28 at 15:30 in row 12,345: 7 to 15 digits",
        ),
    ],
)
def test_what_a_sentence_quotes_is_masked(said: str, shown: str) -> None:
    with acts.acting(lambda: BLIND):
        assert masks.in_text(said) == shown
    assert masks.in_text(said) == said
