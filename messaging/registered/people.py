"""What is known of a person, and what ends when somebody may no longer work here."""

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db.models.signals import m2m_changed, post_delete, post_save

from messaging.people import person_timeline
from messaging.registered import person_entries
from messaging.services.figures import thread
from messaging.services.replies import conversations


def register_all() -> None:
    person_entries.register_all()
    person_timeline.register(thread.NOTES)
    post_save.connect(conversations.let_go, settings.AUTH_USER_MODEL, dispatch_uid="conversations of who left")
    for given in (User.groups.through, User.user_permissions.through, Group.permissions.through):
        uid = f"conversations of who may not answer: {given.__name__}"
        m2m_changed.connect(conversations.let_go_of_rights, given, dispatch_uid=uid)
    post_delete.connect(conversations.let_go_of_rights, Group, dispatch_uid="conversations of a role that went")
