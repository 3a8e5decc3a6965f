"""What services refuse, whatever kind of campaign it is about."""


class NotAllowed(Exception):
    """The campaign's state, or who asks, does not permit it; the sentence says what does."""


class EndNotAsked(NotAllowed):
    """It is held at its latest end, of which whoever resumes it has not heard."""


class Overtaken(NotAllowed):
    """Somebody has edited it since whoever edits it now looked at it."""
