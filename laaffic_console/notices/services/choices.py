"""What somebody wants to be told under the bell and by email."""

from collections.abc import Callable, Mapping, Sequence

from django.contrib.auth.models import User
from django.db import transaction

from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.notices.kinds import BY_EMAIL, CHOICES, Notify
from laaffic_console.notices.models import Choice

Wants = tuple[bool, bool]  # bell, email


def of(people: Sequence[int]) -> Callable[[int, str], Wants]:
    """A function of person and kind that returns what they want; one query for all of `people`."""
    rows = Choice.objects.filter(user__in=people).values_list("user_id", "kind", "bell", "email")
    chosen = {(user, kind): (bell, email) for user, kind, bell, email in rows}
    return lambda user, kind: chosen.get((user, kind)) or as_the_console_has_it(kind)


def as_the_console_has_it(kind: str) -> Wants:
    return True, kind in BY_EMAIL


def table(user: User) -> list[tuple[Notify, bool, bool]]:
    wants = of([user.pk])
    return [(kind, *wants(user.pk, kind)) for kind in CHOICES]


@transaction.atomic
def keep(user: User, wanted: Mapping[Notify, Wants]) -> None:
    """Keep choices that differ from the console's usual ones; the others need no row, and follow its next version."""
    Choice.objects.filter(user=user).delete()
    own = {kind: wants for kind, wants in wanted.items() if wants != as_the_console_has_it(kind)}
    Choice.objects.bulk_create(
        [Choice(user=user, kind=kind, bell=bell, email=email) for kind, (bell, email) in own.items()]
    )
    record(Act.CHANGED, user, event=_("what notices they want"))
