"""What is known of a person's calls, and what is taken out of group calls with them."""

from messaging.services.contacts import people
from voice.registered import person_entries
from voice.services.group_calls import erasing


def register_all() -> None:
    person_entries.register_all()
    people.taken_out_too(erasing.take_out)
