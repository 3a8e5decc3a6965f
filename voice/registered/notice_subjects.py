"""Subjects of voice that people get notices about, and who gets them (laaffic_console/notices)."""

from laaffic_console.notices import subjects
from laaffic_console.notices.subjects import Subject
from messaging.registered.notice_subjects import authors, named, owners, page
from voice.models import GroupTask


def register_all() -> None:
    subjects.register(
        Subject(
            "group_task",
            view="voice.view_grouptask",
            address=page("admin:voice_grouptask_change"),
            act="voice.launch_grouptask",
            approve="voice.approve_grouptask",
            owners=owners(GroupTask, "launched_by_id", "created_by_id"),
            authors=authors(GroupTask),
            name=named(GroupTask),
            ledger="group task",
        )
    )
