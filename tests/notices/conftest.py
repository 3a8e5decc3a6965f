"""People with the four roles, and the post that would leave."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from messaging.models import ContactGroup

Person = Callable[..., User]


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.EMAIL_IS_SET = True
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()
    settings.DEFAULT_FROM_EMAIL = "console@example.com"


@pytest.fixture
def person() -> Person:
    def make(name: str, *roles: str) -> User:
        user = User.objects.create_user(name, f"{name}@example.com", is_staff=True)
        user.groups.set(Group.objects.filter(name__in=roles))
        return user

    return make


@pytest.fixture
def application() -> Application:
    return Application.objects.create(app_id="4luaKsL2", channel="sms", sender_id="SHOP")


@pytest.fixture
def group() -> ContactGroup:
    return ContactGroup.objects.create(name="customers")
