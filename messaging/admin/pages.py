"""What pages of other apps take from here too."""

from laaffic_console.kit.pages import (
    add_problems,
    may_see_contacts,
    own_page,
    page,
    posted_row,
    require,
    say_why,
    sentences_of,
)

__all__ = ["add_problems", "may_see_contacts", "own_page", "page", "posted_row", "require", "say_why", "sentences_of"]
