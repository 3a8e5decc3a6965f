"""What people are told under the bell and by email, what they want to be told, and what is still to be handed out."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.sql.partial_indexes import WordForWord
from laaffic_console.kit.words.said import Said, kept
from laaffic_console.notices import subjects
from laaffic_console.notices.kinds import Notify, in_words


class Waiting(models.Model):
    """Something happened that people are told of: written in its transaction, handed out to them by a worker."""

    kind = models.CharField(max_length=12, choices=Notify)
    about = models.CharField(max_length=60)  # "campaign:12"
    said = models.JSONField(default=dict)
    by = models.CharField(max_length=150, blank=True)  # the user name of the person who did it: they are not told
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.about}"


_IS_TO_MAIL = models.Q(mail__in=["due", "sending"])
IS_TO_MAIL = WordForWord(_IS_TO_MAIL)


class Notice(models.Model):
    """What one person is told of one thing; when it happens again before they have read it, it is counted."""

    class Mail(models.TextChoices):
        NONE = "none", _("None")
        DUE = "due", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    kind = models.CharField(_("notice"), max_length=12, choices=Notify)
    about = models.CharField(max_length=60, blank=True)
    subject = models.CharField(
        max_length=20, blank=True
    )  # the kind of thing: who may not see it any more reads nothing
    said = models.JSONField(default=dict)  # values; worded when it is read
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(_("first"), default=timezone.now)
    last_at = models.DateTimeField(_("last"), default=timezone.now)
    in_bell = models.BooleanField(default=True)
    read_at = models.DateTimeField(_("read"), null=True)
    mail = models.CharField(max_length=8, choices=Mail, default=Mail.NONE)
    mail_at = models.DateTimeField(null=True)  # since when it is being sent, or when it was

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-last_at", "-id"]
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["user", "-last_at"], name="notice_unread", condition=models.Q(read_at=None, in_bell=True)
            ),
            models.Index(fields=["user", "-last_at"], name="notice_of_person"),
            models.Index(fields=["user"], name="notice_to_mail", condition=_IS_TO_MAIL),
            models.Index(fields=["last_at"], name="notice_age"),
        ]

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        return in_text(in_words(self.kind, self.said, self.count))

    @property
    def address(self) -> str:
        """The page that shows what the notice is about; "" where it is about several things."""
        kind, key = subjects.split(self.about)
        subject = subjects.of(kind)
        return subject.address(key) if subject else ""


class Choice(models.Model):
    """What somebody has chosen about one kind; without a row it is as the console has it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Notify)
    bell = models.BooleanField()
    email = models.BooleanField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notice_choice_once")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.bell}, {self.email}"


class Postbox(models.Model):
    """When somebody got mail last, and when it is tried again: at most one in ten minutes."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    mailed_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(default=timezone.now)
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id}"


class Watched(models.Model):
    """A condition that lasts, such as a silent worker: people are told once, and again when it comes back."""

    name = models.CharField(max_length=60, unique=True)
    since = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


def as_said(**values: Any) -> dict[str, str]:
    """Values as they are kept: short texts, and sentences with their words."""
    return {name: kept(value) if isinstance(value, Said) else f"{value}"[:300] for name, value in values.items()}
