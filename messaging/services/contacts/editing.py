"""One contact as a person edits it, on its page or by a script."""

from collections.abc import Mapping

from messaging.models import Contact
from messaging.msisdn import Msisdn


def put_number(contact: Contact, parsed: Msisdn) -> None:
    """Set the number, and the country, time zones and validity that follow from it."""
    contact.number, contact.country = parsed.number, parsed.country
    contact.time_zones = ",".join(parsed.time_zones)
    contact.validity = Contact.Validity.VALID if parsed.is_valid else Contact.Validity.POSSIBLE


def of_name(name: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """The attributes after a change of name: a first name that does not begin the new name is removed."""
    is_of_the_name = name.startswith(attributes.get("first_name", ""))
    return {key: value for key, value in attributes.items() if is_of_the_name or key != "first_name"}


def save(contact: Contact, *, were: Mapping[str, object]) -> None:
    """Save the fields that differ from `were`; ValidationError names the field that is wrong."""
    changed = {name for name, before in were.items() if getattr(contact, name) != before}
    contact.full_clean(exclude=set(were) - changed)
    contact.save(update_fields={*changed, "country", "time_zones", "validity", "updated_at"})
