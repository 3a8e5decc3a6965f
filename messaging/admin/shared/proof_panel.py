"""Prove as a button, and what came of it: the same on the page of every kind of campaign."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from laaffic_console.exporting import delivery
from laaffic_console.kit.files import signed_zip
from laaffic_console.kit.pages import own_page
from laaffic_console.kit.words.people import signed_in
from messaging.services.figures import proofs


def context(subject: Any) -> dict[str, Any]:
    """The context of messaging/campaign/proofs.html, for campaigns that were sent: drafts have nothing to prove."""
    kept = list(proofs.of(subject))
    return {
        "proofs": kept,
        "is_being_proved": any(proof.is_open for proof in kept),
        "dossier_address": own_page(subject, "dossier"),
        "prove_address": own_page(subject, "prove"),
        "fingerprint": signed_zip.own_fingerprint(),
    }


def prove_view(model_admin: "ModelAdmin[Any]", request: HttpRequest, subject: Any) -> HttpResponse:
    """Derives figures and changes none: anyone who may see the campaign may ask for it."""
    if not model_admin.has_view_permission(request, subject):
        raise PermissionDenied
    if request.method != "POST" or subject.state == proofs.DRAFT:
        raise Http404
    proofs.ask(subject, by=signed_in(request))
    return HttpResponseRedirect(own_page(subject) + "#proofs")


def dossier_view(request: HttpRequest, kind: str, model: type[Model], pk: int) -> HttpResponse:
    """All that is known of it in one signed file, by a worker."""
    if request.method != "POST":
        raise Http404
    back = own_page(model(pk=pk))
    answer: HttpResponse = delivery.deliver(request, kind, {"campaign": pk}, "zip", file_name="dossier", back=back)
    return answer
