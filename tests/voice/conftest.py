"""A sandbox whose calls are over at once, an application for voice, and its phones."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.testing import RunningSandbox, running_sandbox
from messaging.models import ContactGroup
from tests.messaging.conftest import point_at
from voice.models import SipPhone
from voice.services.phones import sip_phones as phones


@pytest.fixture
def sandbox(settings: LazySettings) -> Iterator[RunningSandbox]:
    with running_sandbox(Options(ring_seconds=(0.0, 0.01), talk_seconds=(0.0, 0.01))) as running:
        point_at(settings, running)
        yield running
        account.laaffic_client.cache_clear()


@pytest.fixture
def application(db: None) -> Application:
    return Application.objects.create(app_id="voiceApp", channel="voice", connections=4)


@pytest.fixture
def phone(sandbox: RunningSandbox, application: Application) -> SipPhone:
    phones.sync(application)
    return SipPhone.objects.get(account="test_001")


@pytest.fixture
def group(db: None) -> ContactGroup:
    return ContactGroup.objects.create(name="customers")


@pytest.fixture
def sms_application(db: None) -> Application:
    return Application.objects.create(app_id="smsApp", channel="sms", sender_id="SHOP")


@pytest.fixture
def quick(sandbox: RunningSandbox) -> None:
    sandbox.sandbox.options.group_calls_per_second = 2000.0
