"""The sender IDs that campaigns have, each once, however many campaigns there have been."""

from typing import NamedTuple

from django.db import connection

from laaffic_console.gateway.models import Application
from messaging.models import Campaign


class Used(NamedTuple):
    application: int
    sender: str
    last: int  # the newest campaign with it


def every() -> list[Used]:
    """In one statement, which leaps along an index: a step for each sender ID (laws#history-costs-nothing)."""
    campaigns = f"FROM {Campaign._meta.db_table} WHERE application_id"
    applications = Application._meta.db_table
    following = "ORDER BY sender_id LIMIT 1"
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE found(application, sender) AS ("  # noqa: S608 - a model's name
            f"SELECT id, (SELECT sender_id {campaigns} = {applications}.id AND sender_id > %s {following}) "
            f"FROM {applications} UNION ALL SELECT application, "
            f"(SELECT sender_id {campaigns} = found.application AND sender_id > found.sender {following}) "
            "FROM found WHERE found.sender IS NOT NULL) "
            f"SELECT application, sender, (SELECT id {campaigns} = found.application AND sender_id = found.sender "
            "ORDER BY id DESC LIMIT 1) FROM found WHERE sender IS NOT NULL",
            [""],
        )
        return [Used(*row) for row in cursor.fetchall()]
