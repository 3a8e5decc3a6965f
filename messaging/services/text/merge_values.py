"""What merge fields say for a contact."""

from messaging.models import Contact

COLUMNS_OF_CONTACT = {"name", "email", "country", "language", "number"}


def values_of(contact: Contact) -> dict[str, str]:
    """{field: text}; the contact's own columns win over attributes of the same name."""
    own = {name: getattr(contact, name) for name in sorted(COLUMNS_OF_CONTACT)}
    return {**{key: str(value) for key, value in contact.attributes.items()}, **own}
