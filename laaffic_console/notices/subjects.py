"""What notices are about, and who has to do with it: apps register theirs, this one knows none of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"


def nobody(keys: Collection[str]) -> Mapping[str, Sequence[int]]:
    return {}


def no_authors(key: str) -> Collection[int]:
    return ()


def none_of(keys: Collection[str]) -> Collection[str]:
    return ()


def unnamed(key: str) -> str:
    return key


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of thing, under the name that events use: "campaign" of "campaign:12"."""

    kind: str
    view: str  # the right without which nobody is told of it, nor sees what was told
    address: Callable[[str], str]  # of its page, by its key
    act: str = ""  # who does something about it
    approve: str = ""
    # {key: users}; the first of them who may see it by now is told
    owners: Callable[[Collection[str]], Mapping[str, Sequence[int]]] = nobody
    authors: Callable[[str], Collection[int]] = no_authors  # who cannot approve it
    # Those of these keys of whose end nobody is told, such as a test
    ends_unnoticed: Callable[[Collection[str]], Collection[str]] = none_of
    name: Callable[[str], str] = unnamed
    ledger: str = ""  # how the ledger calls it
    is_reported: bool = False  # callbacks come about what it sends


_subjects: dict[str, Subject] = {}


def register(subject: Subject) -> None:
    """Called from an app's ready()."""
    _subjects[subject.kind] = subject


def of(kind: str) -> Subject | None:
    return _subjects.get(kind)


def every() -> Collection[Subject]:
    return _subjects.values()


def split(about: str) -> tuple[str, str]:
    """("campaign", "12"); an approval is about its draft: "approval:campaign:12"."""
    kind, _colon, key = about.removeprefix("approval:").partition(":")
    return _ALIASES.get(kind, kind), key


# Events call a draft by its model.
_ALIASES = {"emailcampaign": "email_campaign", "grouptask": "group_task"}


def who_may(*rights: str) -> set[int]:
    """People who are active and have all of these rights."""
    found: set[int] | None = None
    for right in filter(None, rights):
        have = set(User.objects.with_perm(right, backend=BACKEND).values_list("pk", flat=True))
        found = have if found is None else found & have
    return found or set()
