"""The limits above which a launch needs a second person: one page, for anyone who has the right to change them."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.forms.shared_rows import SharedRowAdmin
from laaffic_console.kit.generics import AnyModelForm
from laaffic_console.kit.words import limits
from messaging.models import ApprovalLimits
from messaging.services.approvals import approval_limits


class ApprovalLimitsForm(AnyModelForm):
    class Meta:
        model = ApprovalLimits
        fields = ["recipients", "cost"]
        widgets = {"cost": UnfoldAdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        otherwise = {
            "recipients": settings.LAAFFIC_APPROVAL_RECIPIENTS,
            "cost": limits.in_words(settings.LAAFFIC_APPROVAL_COST),
        }
        hints = {
            "recipients": _("0: their number never decides. Empty: as the environment says, %(value)s."),
            "cost": _(
                "1000 for every currency, or each with its own: USD 1000, EUR 900. 0: it never decides. "
                "Empty: as the environment says, %(value)s."
            ),
        }
        for name, value in otherwise.items():
            if name in self.fields:
                self.fields[name].help_text = hints[name] % {"value": value}

    def clean_cost(self) -> str:
        given: str = (self.cleaned_data["cost"] or "").strip()
        try:
            approval_limits.check_cost(given)
        except ValidationError as problem:
            raise ValidationError(problem.messages) from problem
        return given


@admin.register(ApprovalLimits)
class ApprovalLimitsAdmin(SharedRowAdmin, ModelAdmin):
    form = ApprovalLimitsForm
    fields = ["recipients", "cost"]
    when_empty = gettext_lazy("Nothing is set here: what the environment says counts.")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The one row is its own list."""
        return self.changeform_view(request, str(approval_limits.row().pk), extra_context=extra_context)

    def response_change(self, request: HttpRequest, obj: ApprovalLimits) -> HttpResponse:
        """There is one row, which has no name."""
        messages.success(request, _("The approval limits were changed."))
        return HttpResponseRedirect(reverse("admin:messaging_approvallimits_changelist"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApprovalLimits | None = None) -> bool:
        return False
