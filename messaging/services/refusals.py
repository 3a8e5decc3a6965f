"""What services refuse, whatever kind of campaign it is about."""

from laaffic_console.kit.words.not_now import NotNow


class EndNotAsked(NotNow):
    """Its latest end has come, of which the person resuming it has not heard."""


class FewFirstFailed(NotNow):
    """The few first decide against the rest, by the reports that have come: a person's word alone sends it."""


class StillCounting(NotNow):
    """Whom it reaches is not known yet: it can be launched, or approved, once all are counted."""


class NotApproved(NotNow):
    """A second person's approval is missing; the sentence says why it is needed, or what happened to it."""


class Overtaken(NotNow):
    """Somebody has edited it since the person editing it now looked at it."""
