"""What merge fields say for a contact."""

from collections.abc import Mapping

from laaffic_console.kit.masking import masks
from messaging.models import Contact

COLUMNS_OF_CONTACT = {"name", "email", "country", "language", "number"}
MASKED = {"number", "email"}


def values_of(contact: Contact) -> dict[str, str]:
    """{field: text}; the contact's own columns win over attributes of the same name."""
    own = {name: getattr(contact, name) for name in sorted(COLUMNS_OF_CONTACT)}
    return {**{key: str(value) for key, value in contact.attributes.items()}, **own}


def for_eyes(values: Mapping[str, str]) -> dict[str, str]:
    """The values as the viewer may see them: numbers and addresses are masked in a text as everywhere else."""
    return {name: masks.masked(value) if name in MASKED else masks.in_text(value) for name, value in values.items()}
