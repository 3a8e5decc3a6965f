"""Entries of numbers about a person: the bindings that name one of their numbers."""

from collections.abc import Collection, Iterable, Sequence

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit.pages import own_page
from messaging.people import contact_traces
from messaging.people.person_timeline import Behind, Entry, Person, Source, register, rows_behind
from phone_numbers.models import Binding


def register_all() -> None:
    register(Source("bindings", gettext_lazy("Binding"), "link", "numbers.view_binding", bindings))
    contact_traces.register(contact_traces.Trace("binding", gettext_lazy("their number was bound"), _bound))


def _bound(numbers: Collection[str]) -> Iterable[str]:
    for column in ("phone_a", "phone_b"):
        found = Binding.objects.filter(**{f"{column}__among": numbers})
        yield from found.order_by().values_list(column, flat=True)


def bindings(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    rows = Binding.objects.filter(Q(phone_a__in=person.numbers) | Q(phone_b__in=person.numbers))
    return [
        Entry(
            row.at_moment,
            row.pk,
            _("Bound: %(pair)s") % {"pair": row.shown_pair},
            _("live") if row.is_live else row.get_ending_display(),
            own_page(row),
            "moving" if row.is_live else "",
        )
        for row in rows_behind(rows, "first_seen_at", behind, limit)
    ]
