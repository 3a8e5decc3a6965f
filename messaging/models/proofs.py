"""What came of proving a campaign: its figures derived again from its rows, and whether they are the ones it shows."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.sql.partial_indexes import WordForWord
from messaging.models.about_drafts import OfOneDraft, of_one_draft, one_open

_IS_OPEN = models.Q(state__in=["waiting", "running"])
IS_OPEN_PROOF = WordForWord(_IS_OPEN)


class Proof(OfOneDraft):
    """Asked for by a person; at once or by a worker. A finished one is never changed, and the last few are kept."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")

    OPEN = (State.WAITING, State.RUNNING)

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    asked_by_name = models.CharField(_("by"), max_length=150, blank=True)  # also when the account is deleted
    asked_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    tries = models.PositiveSmallIntegerField(default=0)
    seen_at = models.DateTimeField(null=True)  # when its worker was last seen at it
    finished_at = models.DateTimeField(_("proved"), null=True)
    was_over = models.BooleanField(
        default=False
    )  # whether the campaign was: of one that goes on figures move in the meantime
    figures = models.JSONField(_("figures"), default=dict)  # as `campaign prove` derives them
    disagreements = models.JSONField(_("disagreements"), default=list)  # sentences, the first of them
    wrong = models.PositiveIntegerField(_("figures that disagree"), default=0)  # how many sentences there were

    class Meta:
        verbose_name = _("proof")
        verbose_name_plural = _("proofs")
        ordering = ["-id"]
        constraints = [
            *one_open("proof_one_open", _IS_OPEN),
            of_one_draft("proof_of_one_campaign"),
        ]
        indexes = [
            models.Index(fields=["id"], name="proof_open", condition=_IS_OPEN),
        ]

    def __str__(self) -> str:
        return f"{self.draft} · {self.get_state_display()}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN
