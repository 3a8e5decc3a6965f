"""Approvals: the list of what waits for a second person, and their decision on the page before the launch."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.forms import asking_again
from laaffic_console.kit.masking.masked_admin import MaskedTexts
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import own_page, require
from laaffic_console.kit.registers import meanings
from laaffic_console.kit.words.people import signed_in
from messaging.models import Approval
from messaging.models.about_drafts import DRAFTS
from messaging.services.approvals import approvable, approval_rules, approvals

COLOURS = {
    Approval.Outcome.ASKED: "warning",
    Approval.Outcome.APPROVED: "success",
    Approval.Outcome.REFUSED: "danger",
    Approval.Outcome.VOID: "default",
    Approval.Outcome.WITHDRAWN: "default",
}

VERBS = {"ask": "launch", "withdraw": "launch", "approve": "approve", "refuse": "approve"}  # {what is done: its right}


@admin.register(Approval)
class ApprovalAdmin(MaskedTexts, ReadOnlyAdmin):
    when_empty = gettext_lazy("Nothing has been sent for approval. Ask for one on the page before a launch.")
    typed = ("note",)
    list_display = [
        *(
            "shown_draft",
            "shown_kind",
            "shown_outcome",
            "recipients",
            "cost",
            "asked_by",
            "asked_at",
            "decided_by",
            "decided_at",
            "note",
        )
    ]
    list_filter = ["outcome"]
    list_select_related = [*DRAFTS, "asked_by", "decided_by"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        """Approvals of the kinds of draft that this person may see; without any such kind the page itself refuses."""
        if not self.has_view_permission(request):
            return super().get_queryset(request)
        return approvals.seen_by(request.user, super().get_queryset(request))

    @display(description=gettext_lazy("draft"))
    def shown_draft(self, approval: Approval) -> str:
        return str(approval.draft)

    @display(description=gettext_lazy("kind"))
    def shown_kind(self, approval: Approval) -> str:
        return str(approval.draft._meta.verbose_name)

    @display(description=gettext_lazy("outcome"), label=COLOURS, ordering="outcome")
    def shown_outcome(self, approval: Approval) -> tuple[str, str]:
        return approval.outcome, meanings.inline("approval", approval.outcome, approval.get_outcome_display())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the draft's page before the launch, where approvals are given; once launched, to its own page."""
        require(request, "messaging.view_approval")
        approval = self.get_object(request, object_id)
        if approval is None:
            raise Http404
        draft = approval.draft
        return HttpResponseRedirect(own_page(draft, "review" if draft.state == approvable.DRAFT else "change"))


class GoesWithApprovals:
    """For the admin of a draft: its approvals, which nobody deletes by themselves, go with it."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[Any], Any]:
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        return deleted, counts, needed - {Approval._meta.verbose_name}, protected


def ask_again(request: HttpRequest, draft: Any) -> HttpResponse | None:
    """Who launches to very many proves once more who they are; None where there is no need."""
    if not settings.LAAFFIC_REAUTHENTICATE_OVER:
        return None
    return asking_again.ask_over(request, approvable.kind_of(draft).plan(draft).recipients)


def act(request: HttpRequest, draft: Any, verb: str) -> HttpResponse:
    """Ask, withdraw, approve or refuse, by POST; back to the page before the launch."""
    if request.method != "POST" or verb not in VERBS:
        raise Http404
    kind = approvable.kind_of(draft)
    require(request, kind.right("view"), kind.right(VERBS[verb]))
    note = request.POST.get("note", "")
    seen = (request.POST.get("approval", ""), request.POST.get("digest", ""))
    try:
        if verb == "ask":
            approvals.ask(draft.pk, by=signed_in(request), note=note, model=kind.model)
            messages.success(request, _("Asked. Everyone who may approve sees it on the front page."))
        elif verb == "withdraw":
            approvals.withdraw(draft.pk, by=signed_in(request), seen=seen, model=kind.model)
            messages.success(request, _("Withdrawn: nobody is asked to approve it any more."))
        else:
            approve = verb == "approve"
            approvals.decide(draft.pk, by=signed_in(request), approve=approve, note=note, seen=seen, model=kind.model)
            messages.success(request, _("Approved.") if verb == "approve" else _("Refused; your reason is kept."))
    except ValidationError as problem:
        say_why(request, problem)
    draft.refresh_from_db(fields=["state"])
    return HttpResponseRedirect(own_page(draft, "review" if draft.state == approvable.DRAFT else "change"))


def shown(request: HttpRequest, draft: Any, known: Any = None) -> dict[str, Any] | None:
    """What the page before the launch shows of the approval; None if none is needed. `known`: see Approvable.plan."""
    standing = approval_rules.standing(draft, known)
    if standing is None:
        return None
    kind, approval, missing = approvable.kind_of(draft), standing.approval, standing.missing
    is_asked = approval is not None and approval.outcome == Approval.Outcome.ASKED
    asked_by = approval.asked_by_id if approval else None
    is_own = is_asked and (asked_by == request.user.pk or approvals.is_author(draft, request.user))
    pk, digest = approvals.identity(approval) if approval else ("", "")
    return {
        "id": pk,
        "addresses": {verb: own_page(draft, "approval", verb) for verb in VERBS},
        "digest": digest,
        "approval": approval,
        "given": not missing,
        "changed": [str(part) for part in approvals.changed_since(draft, approval)] if approval else [],
        "missing": missing,
        "may_decide": is_asked and not is_own and request.user.has_perm(kind.right("approve")),
        "may_withdraw": is_asked and request.user.has_perm(kind.right("launch")),
        "may_ask": bool(missing) and request.user.has_perm(kind.right("launch")),
    }
