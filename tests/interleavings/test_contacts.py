"""An import is undone while its contacts are being sent to."""

import itertools

from django.utils import timezone

from laaffic_console.kit.registers.search_kinds import Query
from messaging.models import Contact, ContactImport, GroupMembership, ImportUndo, Message
from messaging.services.audience import audience
from messaging.services.campaigns import starting
from messaging.services.contacts import name_index, people_search
from messaging.services.imports import undo as import_undo
from tests.interleaving import Ending, Scene, Stage, interleave
from tests.interleavings import rows


class UndoneTests:
    def test_while_a_campaign_is_launched_and_frozen(self, on: Stage) -> None:
        """Whoever is in the audience is still there, and whoever has gone is not in it."""

        def make() -> Scene:
            group = rows.group_of(0)
            job = ContactImport.objects.create(file_name="l.csv", state="finished", group=group)
            people = rows.people(2, group, imported_by=job)
            ContactImport.objects.filter(pk=job.pk).update(finished_at=timezone.now())
            ImportUndo.objects.create(contact_import=job, state="running")
            campaign = rows.draft(groups=[group])

            def launch() -> None:
                starting.launch(campaign.pk)
                audience.freeze_chunk(campaign.pk)

            def check(launched: Ending, undone: Ending) -> None:
                assert undone.problem is None
                ids = [one.pk for one in people]
                there = set(Contact.objects.filter(pk__in=ids).values_list("pk", flat=True))
                reached = set(Message.objects.filter(campaign=campaign).values_list("contact_id", flat=True))
                assert reached <= there
                assert len(there) in (0, 2)
                assert GroupMembership.objects.filter(contact_id__in=ids).count() == len(there)

            return Scene(launch, lambda: import_undo._next_chunk(job.pk), check)

        interleave(on, make)


class FoundTests:
    def test_while_the_worker_reads_the_number(self, on: Stage) -> None:
        """Who waits is looked at before the trigrams: whoever gets into them meanwhile is in both, not in neither."""
        middles = itertools.count(1_000_001)

        def make() -> Scene:
            digits = str(next(middles))
            one = Contact.objects.create(number=f"9198{digits}1")
            query = Query(digits, digits)

            def check(found: Ending, indexed: Ending) -> None:
                assert (found.problem, indexed.problem) == (None, None)
                assert [contact.pk for contact in found.value] == [one.pk]

            return Scene(lambda: people_search.find(query, 8, anywhere=True), name_index.index_waiting, check)

        interleave(on, make)
