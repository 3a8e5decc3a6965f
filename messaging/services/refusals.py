"""What services refuse, whatever kind of campaign it is about."""


class NotAllowed(Exception):
    """The campaign's state, or who asks, does not permit it; the sentence says what does."""
