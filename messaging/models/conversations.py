"""What one subscriber and we say to each other: who looks after it, what is new, and what was noted and answered."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.sql.partial_indexes import WordForWord
from laaffic_console.kit.words.visible_names import SaysWhatIsTaken
from messaging.models.campaigns import Campaign

SNIPPET = 160  # characters

_IS_UNREAD = models.Q(unread__gt=0)


class Conversations(models.QuerySet["Conversation"]):
    def unread(self) -> "Conversations":
        return self.filter(WordForWord(_IS_UNREAD))


class Conversation(models.Model):
    """One for each subscriber who has ever written, moved on with each reply in the transaction that keeps it."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("state", "Open")
        DONE = "done", _("Done")

    # As `subscribers.subscriber` writes it: the same for every spelling that somebody answers from.
    subscriber = models.CharField(max_length=20, unique=True)
    number = models.CharField(_("number"), max_length=20, db_index=True)  # as the newest reply has it
    sent_to = models.CharField(_("sent to"), max_length=32, blank=True)  # the sender ID that was answered last
    state = models.CharField(_("state"), max_length=4, choices=State, default=State.OPEN)
    unread = models.PositiveIntegerField(_("unread"), default=0)  # replies since somebody who may answer looked
    last_at = models.DateTimeField(_("last reply"))
    last_said = models.CharField(_("said last"), max_length=SNIPPET, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("assigned to"),
        db_index=False,
    )

    objects = Conversations.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-last_at", "-id"]
        permissions = [
            ("answer_conversation", _("Can answer in conversations, take notes and end them")),
            ("assign_conversation", _("Can assign conversations to other people")),
        ]
        indexes = [
            models.Index(fields=["state", "last_at", "id"], name="conversation_state"),
            models.Index(fields=["assigned_to", "state", "last_at", "id"], name="conversation_assigned"),
            # The menu of every page counts these.
            models.Index(fields=["assigned_to", "state", "unread"], name="conversation_waiting"),
            models.Index(fields=["last_at", "id"], name="conversation_unread", condition=_IS_UNREAD),
        ]

    def __str__(self) -> str:
        return str(masked(self.number))


class ConversationNote(models.Model):
    """What one of us has to say to the others; it is never sent. A row is never changed."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="notes", db_index=False)
    text = models.TextField(_("note"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        default_permissions = ()  # shown with the conversation
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [models.Index(fields=["conversation", "at", "id"], name="conversation_note")]

    def __str__(self) -> str:
        return self.text[:40]


class ConversationAnswer(models.Model):
    """Which quick message answered in which conversation: it is shown there before it has a message."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="answers", db_index=False)
    campaign = models.OneToOneField(Campaign, models.CASCADE, related_name="answer")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        indexes = [models.Index(fields=["conversation", "at", "id"], name="conversation_answer")]

    def __str__(self) -> str:
        return str(self.campaign_id)


class SavedAnswer(SaysWhatIsTaken):
    """A text that is put into the answer box by a click."""

    title = models.CharField(_("title"), max_length=60, unique=True)
    text = models.TextField(_("text"))

    class Meta:
        verbose_name = _("saved answer")
        verbose_name_plural = _("saved answers")
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title
