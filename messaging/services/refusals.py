"""What services refuse, whatever kind of campaign it is about."""


class NotAllowed(Exception):
    """The campaign's state, or who asks, does not permit it; the sentence says what does."""


class EndNotAsked(NotAllowed):
    """Its latest end has come, of which the person resuming it has not heard."""


class FewFirstFailed(NotAllowed):
    """The few first decide against the rest, by the reports that have come: a person's word alone sends it."""


class Overtaken(NotAllowed):
    """Somebody has edited it since the person editing it now looked at it."""
