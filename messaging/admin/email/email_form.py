"""The form of an email campaign, and beside its fields what the account offered at the last look-up."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.kit.forms.form_fields import call_empty, field_of, needed_by_service
from laaffic_console.kit.forms.moments import TYPED, MomentInput
from laaffic_console.kit.forms.shared_rows import SeenForm
from laaffic_console.kit.generics import AnyModelForm
from laaffic_console.kit.masking import masks
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import add_problems
from laaffic_console.kit.words.figures import number
from messaging.admin.shared.clocks import ByAClock, MomentField
from messaging.models import EmailCampaign, EmailCampaignState, EmailChoice, EmailLookup
from messaging.services.email import choices as email_choices
from messaging.services.email import drafts as email_drafts

State = EmailCampaignState
Kind = EmailLookup.Kind
# The field that each look-up fills, and what its choices say.
LOOKED_UP = {"from_address": Kind.SENDER, "receiver_id": Kind.LIST, "template_id": Kind.TEMPLATE}
# The steps of the form: what goes out, when, and how.
STEPS = {
    "what": ("name", "application", "from_address", "receiver_id", "template_id", "subject"),
    "when": ("scheduled_at", "clock"),
    "how": (
        *("latest_end", "calendar", "purpose", "consent_known_by", "language", "unsubscribe"),
        *("ad_flag", "trigger_id"),
    ),
}


class EmailCampaignForm(ByAClock, SeenForm, AnyModelForm):
    scheduled_at = MomentField(
        label=gettext_lazy("Send at"),
        required=False,
        help_text=gettext_lazy("Empty: at once."),
        widget=MomentInput,
        input_formats=TYPED,
    )

    latest_end = forms.DateTimeField(
        label=gettext_lazy("Not after"),
        required=False,
        widget=MomentInput,
        input_formats=TYPED,
    )

    class Meta:
        model = EmailCampaign
        fields = [
            "name",
            "application",
            "from_address",
            "receiver_id",
            "template_id",
            "subject",
            "language",
            "ad_flag",
            "trigger_id",
            "unsubscribe",
            "scheduled_at",
            "latest_end",
            "calendar",
            "purpose",
            "consent_known_by",
        ]
        widgets = {
            "unsubscribe": forms.NullBooleanSelect,
            "subject": forms.TextInput({"data-limit": "100"}),
        }

    def __init__(self, *args: Any, reader_zone: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.go_by_clock("scheduled_at", reader_zone)
        if self.instance.pk is None:  # whose value is the database's own default until it is saved
            self.initial["consent_known_by"] = ""
        applications = Application.objects.filter(channel=Channel.EMAIL, is_active=True)
        field_of(self, "application", forms.ModelChoiceField).queryset = applications
        if applications.count() == 1 and not self.initial.get("application"):
            self.initial["application"] = applications[0].pk
        call_empty(self, application=_("Select value"), calendar=_("the application's"), ad_flag=_("none"))
        self.fields["unsubscribe"].widget.choices = [
            ("unknown", _("Laaffic's default")),
            ("true", _("with one")),
            ("false", _("without")),
        ]
        said = _("By the console's clock: %(zone)s. What has not left by then is held and asks.")
        self.fields["latest_end"].help_text = said % {"zone": settings.TIME_ZONE}
        for name in LOOKED_UP:
            self.fields[name].widget.attrs |= {"list": f"choices-{name}", "autocomplete": "off"}
        for name in ("receiver_id", "template_id", "from_address", "subject"):
            needed_by_service(self, name)

    def is_open(self, row: EmailCampaign) -> bool:
        return row.state == State.DRAFT

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is None or "application" in self.errors:
            return cleaned
        given = {name: cleaned.get(name) or "" for name in ("from_address", "receiver_id", "template_id", "subject")}
        try:
            email_drafts.check_content(EmailCampaign(application=cleaned["application"], **given))
        except ValidationError as problem:
            add_problems(self, problem)
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        """Exclude fields that the service checks: the model would repeat what the service says."""
        return {*super()._get_validation_exclusions(), *LOOKED_UP, "subject"}  # type: ignore[misc]


def refresh_and_say(request: HttpRequest) -> None:
    try:
        lookups = email_choices.refresh_all()
    except ValidationError as problem:
        say_why(request, problem)
        return
    if not lookups:
        messages.warning(request, _("There is no active application for email. Register one first."))
    for lookup in lookups:
        if lookup.problem:
            messages.error(request, f"{lookup.get_kind_display()}: {masks.in_text(lookup.problem)}")
    if answered := [lookup for lookup in lookups if not lookup.problem]:
        names = ", ".join(str(lookup.get_kind_display()) for lookup in answered)
        messages.success(request, _("Looked up: %(what)s. What you typed is still here.") % {"what": names})


def choice_words(choice: EmailChoice) -> str:
    """The words beside an offered id: name, subject, language, number of addresses."""
    detail = choice.detail
    parts = [choice.name, detail.get("subject", ""), detail.get("language", "")]
    if detail.get("count") is not None:
        parts.append(address_words(detail["count"]))
    if "status" in detail and detail["status"] not in ("", "1"):
        parts.append(_("not approved (%(status)s)") % {"status": detail["status"]})
    return " · ".join(str(part) for part in parts if part)


def address_words(n: int) -> str:
    return ngettext("%(n)s address", "%(n)s addresses", n) % {"n": number(n)}


def lookup_words() -> dict[str, tuple[str, bool]]:
    """{field: (how old its choices are or why there are none, whether that is a problem)}"""
    return {name: _age_of(kind) for name, kind in LOOKED_UP.items()}


def _age_of(kind: str) -> tuple[str, bool]:
    lookups = list(EmailLookup.objects.filter(kind=kind, application__is_active=True).order_by("answered_at"))
    if problem := next((lookup.problem for lookup in lookups if lookup.problem), ""):
        said = _("The last look-up failed: %(why)s You can write the id by hand.")
        return said % {"why": masks.in_text(problem)}, True
    if not lookups or lookups[0].answered_at is None:
        return _("Not looked up yet. Look it up, or write it by hand."), False
    n = EmailChoice.objects.filter(lookup__in=lookups).count()
    said = _("%(n)d to choose from, looked up %(when)s.")
    return said % {"n": n, "when": naturaltime(lookups[0].answered_at)}, False
