"""A draft is deleted from its page while somebody launches it: it was deleted, or it was launched, and never both."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from messaging.services.campaigns import starting
from messaging.services.email import starting as email_starting
from tests.interleaving import Ending, Scene, Stage, interleave
from tests.interleavings import rows, test_voice
from tests.interleavings.test_campaigns import only
from tests.interleavings.test_emails import draft as email_draft
from tests.interleavings.test_voice import Laaffic, laaffic
from voice.services.group_calls import tasks as group_tasks

__all__ = ["laaffic"]

KINDS: dict[str, tuple[Callable[[], Any], Callable[[int], Any]]] = {
    "SMS": (rows.draft, starting.launch),
    "email": (email_draft, email_starting.launch),
    "group call": (test_voice.GroupTaskTests().written, group_tasks.launch),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_launch_and_a_deletion(on: Stage, laaffic: Laaffic, kind: str) -> None:
    ada = User.objects.create_superuser(rows.name()[:30])
    write, launch = KINDS[kind]

    def make() -> Scene:
        draft: Model = write()
        client = Client()
        client.force_login(ada)
        meta = draft._meta
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_delete", args=[draft.pk])

        def check(launched: Ending, deleted: Ending) -> None:
            only(launched, ValidationError, type(draft).DoesNotExist)  # type: ignore[attr-defined]
            only(deleted)
            is_there = type(draft)._default_manager.filter(pk=draft.pk).exists()
            assert launched.passed == is_there
            assert deleted.value == (403 if is_there else 302)

        return Scene(lambda: launch(draft.pk), lambda: client.post(address, {"post": "yes"}).status_code, check)

    interleave(on, make)
