"""Send SMS to chosen contacts: a campaign like any other, to a group made for it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.kit.pages import add_problems
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import sendable
from messaging.admin.composing import compose
from messaging.admin.shared.text_widget import TextWidget
from messaging.models import Campaign, Contact
from messaging.services.campaigns import drafts
from messaging.services.contacts import contacts


class QuickMessageForm(forms.Form):
    application = forms.ModelChoiceField(
        Application.objects.filter(channel=Channel.SMS, is_active=True),
        empty_label=gettext_lazy("Select value"),
        label=gettext_lazy("Application"),
        widget=UnfoldAdminSelectWidget,
    )
    sender_id = forms.CharField(
        max_length=32,
        required=False,
        label=gettext_lazy("Sender ID"),
        help_text=gettext_lazy("Empty: the application's own."),
        widget=UnfoldAdminTextInputWidget,
    )
    text = forms.CharField(label=gettext_lazy("Text"), widget=TextWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["application"]
        field.initial = compose.lone(field.queryset)

    def clean_text(self) -> str:
        text = sendable(self.cleaned_data["text"])
        if problem := drafts.problem_with_text(text):
            raise ValidationError(problem)
        return text


def send_quick_message(form: QuickMessageForm, queryset: QuerySet[Contact], request: HttpRequest) -> Campaign | None:
    """A draft to the chosen contacts; None when its form says what is wrong."""
    given: dict[str, Any] = form.cleaned_data
    content = {name: given[name] for name in ("application", "sender_id", "text")}
    return quick_campaign(form, queryset, request, **content)


def quick_campaign(
    form: forms.Form, queryset: QuerySet[Contact], request: HttpRequest, **content: Any
) -> Campaign | None:
    """A draft of any channel to the chosen contacts; None when `form` says what is wrong."""
    name = _("Quick message %(when)s") % {"when": timezone.localtime().strftime("%Y-%m-%d %H:%M:%S")}
    group = contacts.quick_group(queryset, name)
    try:
        return drafts.create(name=name, groups=[group], kind=Campaign.Kind.QUICK, by=signed_in(request), **content)
    except ValidationError as problem:
        group.delete()
        add_problems(form, problem)
        return None
