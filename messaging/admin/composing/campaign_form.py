"""What a campaign of any channel is written with."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from laaffic_console.kit.pages import add_problems
from laaffic_console.kit.words.plain_text import sendable
from messaging.admin.composing import pasted_numbers, templates
from messaging.admin.shared.text_widget import TextWidget
from messaging.models import Campaign
from messaging.services.campaigns import drafts


class CampaignForm(templates.FromTemplate, pasted_numbers.PastedNumbersForm):
    """A channel with more to it names `channel` and its own fields, and says in `options` what is kept of these."""

    own_fields: ClassVar[tuple[str, ...]] = ()

    class Meta:
        model = Campaign
        fields = [
            "name",
            "application",
            "sender_id",
            "template_version",
            "text",
            "groups",
            "excluded_groups",
            "audiences",
            "rate_per_second",
            "scheduled_at",
            "local_time",
            "latest_start_minutes",
            "latest_end",
            "calendar",
            "error_limit",
            "purpose",
            "canary",
            "canary_wait",
            "canary_reports",
            "canary_least",
        ]
        widgets = {"text": TextWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "scheduled_at" in self.fields:
            said = _("By the console's clock: %(zone)s. Empty: at once.")
            self.fields["scheduled_at"].help_text = said % {"zone": settings.TIME_ZONE}
        if "latest_end" in self.fields:
            said = _("By the console's clock: %(zone)s. What has not left by then is held and asks.")
            self.fields["latest_end"].help_text = said % {"zone": settings.TIME_ZONE}

        for name in ("canary_wait", "canary_reports", "canary_least"):
            if name in self.fields:  # an empty one is the usual
                self.fields[name].required = False

    def clean_canary_wait(self) -> int:
        return self._usual("canary_wait")

    def clean_canary_reports(self) -> int:
        return self._usual("canary_reports")

    def clean_canary_least(self) -> int:
        return self._usual("canary_least")

    def _usual(self, name: str) -> int:
        given = self.cleaned_data.get(name)
        return int(getattr(Campaign(), name)) if given is None else int(given)

    def clean_text(self) -> str:
        return sendable(self.cleaned_data["text"])

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is not None:
            cleaned = self.filled(cleaned)
        if self.errors or cleaned is None:
            return cleaned
        try:
            drafts.check_content(self.draft(cleaned))
        except ValidationError as problem:
            add_problems(self, problem)
        return cleaned

    def draft(self, cleaned: dict[str, Any]) -> Campaign:
        """What would be sent, as far as it can be checked without its audience."""
        return Campaign(
            application=cleaned["application"],
            text=cleaned["text"],
            sender_id=cleaned.get("sender_id") or "",
            scheduled_at=cleaned.get("scheduled_at"),
            local_time=cleaned.get("local_time") or "",
            latest_end=cleaned.get("latest_end"),
            canary=cleaned.get("canary") or "",
            channel=self.channel,
            channel_options=self.options(),
        )

    def options(self) -> dict[str, Any]:
        """The campaign's `channel_options`, also while some fields are wrong or missing."""
        return {}
