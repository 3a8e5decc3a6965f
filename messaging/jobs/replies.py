"""What the queue calls for replies: each finds its work in our own tables, so a second call changes nothing."""

from messaging.services.campaigns import asking_back
from messaging.services.replies import reply_pulls, reply_pushes


def apply_sms_replies() -> bool:
    return reply_pushes.INBOX.apply_waiting()


def pull_sms_replies() -> None:
    reply_pulls.pull_due()


def ask_back() -> None:
    asking_back.ask_waiting()
