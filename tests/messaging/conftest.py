"""A sandbox over real HTTP, an application and contacts, and a queue that is run by hand."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from django.conf import LazySettings
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.testing import RunningSandbox, running_sandbox
from messaging.models import Campaign, Contact, ContactGroup, GroupMembership
from messaging.services.campaigns import starting

APP_ID = "4luaKsL2"


@pytest.fixture
def sandbox(settings: LazySettings) -> Iterator[RunningSandbox]:
    with running_sandbox(Options(delivery_delay=(0.0, 0.0), queue_time=0.0)) as running:
        point_at(settings, running)
        yield running
        account.laaffic_client.cache_clear()


def point_at(settings: LazySettings, running: RunningSandbox) -> None:
    settings.LAAFFIC_BASE_URL = running.base_url
    settings.LAAFFIC_API_KEY = running.sandbox.options.api_key
    settings.LAAFFIC_API_SECRET = running.sandbox.options.api_secret
    settings.LAAFFIC_TIMEOUTS = (20.0, 20.0)
    account.laaffic_client.cache_clear()


@pytest.fixture
def application(db: None) -> Application:
    return Application.objects.create(app_id=APP_ID, channel="sms", sender_id="SHOP")


@pytest.fixture
def group(db: None) -> ContactGroup:
    return ContactGroup.objects.create(name="customers")


def add_contacts(group: ContactGroup, count: int, first: int = 919876500000, **fields: object) -> list[Contact]:
    made = Contact.objects.bulk_create(
        Contact(number=str(first + index), country="IN", **fields) for index in range(count)
    )
    GroupMembership.objects.bulk_create(GroupMembership(contact=contact, group=group) for contact in made)
    return made


@pytest.fixture
def run_jobs() -> Callable[[], int]:
    """Do what waits in the queue, and what that rings for, as a worker would."""

    def run() -> int:
        done = 0
        while task := OrmQ.objects.order_by("id").first():
            job = task.task
            task.delete()
            import_string(job["func"])(*job["args"])
            done += 1
        return done

    return run


class LoseAnswers(Protocol):
    def __call__(self, draft: Campaign, *, people: int, fault: str = "reset_after", calls: int = 1) -> Campaign: ...


@pytest.fixture
def lose_answers(sandbox: RunningSandbox, group: ContactGroup, run_jobs: Callable[[], int]) -> LoseAnswers:
    """Launch a draft to `people` of the group; its first `calls` requests meet the sandbox's `fault`, the others are
    answered. The campaign is given back as it stands then.
    """

    def launch(draft: Campaign, *, people: int, fault: str = "reset_after", calls: int = 1) -> Campaign:
        add_contacts(group, people)
        sandbox.set_faults(next_fault=fault, next_calls=calls)
        starting.launch(draft.pk)
        run_jobs()
        draft.refresh_from_db()
        return draft

    return launch


def events_saying(words: str, events: Any) -> Any:
    """Those whose text has these words: the column holds words and values apart."""
    return events.filter(pk__in=[pk for pk, text in events.values_list("pk", "text") if words in text])
