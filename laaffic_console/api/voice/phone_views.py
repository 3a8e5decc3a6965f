"""SIP phones: listed, added at Laaffic, given new passwords."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from laaffic_console.api.handling import lookups
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.parameters import KEY
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView, ListQuery, page, row
from laaffic_console.api.models import Scope
from laaffic_console.api.shapes import page_of
from laaffic_console.api.voice import documents, shapes
from laaffic_console.gateway.models import Channel, LedgerEntry
from voice.models import SipPhone
from voice.services.phones import changes as phone_changes
from voice.services.phones import evidence as phone_evidence
from voice.services.phones import sip_phones as phones

LOOK, CHANGE = "voice.view_sipphone", "voice.provision_sipphone"


class PhonesView(ApiView):
    scopes = {"GET": Scope.READ, "POST": Scope.VOICE}
    rights = {"GET": [LOOK], "POST": [LOOK, CHANGE]}

    @extend_schema(operation_id="sip_phones_list", parameters=[ListQuery], responses=page_of(shapes.Phone))
    def get(self, request: Any) -> Response:
        """SIP phones from which calls can be made."""
        query = self.read(ListQuery, request.query_params.dict())
        return Response(page(phones.usable(), query, documents.phone))

    @extend_schema(
        operation_id="sip_phones_add",
        parameters=[KEY],
        request=shapes.PhonesRequest,
        responses={202: shapes.PhonesAsked},
    )
    def post(self, request: Any) -> Response:
        """Add phones at Laaffic. If “state” is unknown, the answer was lost: the list shows whether they were added."""
        asked = self.read(shapes.PhonesRequest)
        application = lookups.application(asked.pop("application"), Channel.VOICE)

        def work() -> Answer:
            entry = phone_changes.add(application=application, **asked, by=request.user)
            return Answer(202, {"id": application.pk, "request": entry.pk})

        answer = self.once_sent(work, status=202)
        found = _request_for(application.pk, asked["name"], answer.body.get("request"))
        return Response(documents.added_phones(found, application.app_id), answer.status)


def _request_for(application: int, name: str, pk: int | None) -> LedgerEntry:
    """The latest request for phones of this name; without `pk` (a process died) of whichever request."""
    found = phone_evidence.requests(phone_evidence.ADDED, application).filter(summary__name=name.strip())
    return (found if pk is None else found.filter(pk=pk)).latest("pk")


class PhonePasswordView(ApiView):
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [LOOK, CHANGE]}

    @extend_schema(parameters=[KEY], request=None, responses=shapes.NewPassword)
    def post(self, request: Any, pk: int) -> Response:
        """Give a phone a new password. Only this answer has it: it is kept nowhere."""
        phone = row(SipPhone.objects.select_related("application"), pk)
        answer = self.once_sent(lambda: _reset(phone, request.user), status=200)
        if answer.made is None:
            said = _(
                "This request has reset its password already; a password is shown only once. Reset it with a new key."
            )
            raise Problem(409, said)
        return Response({"id": pk, "account": answer.made.account, "password": answer.made.password})


def _reset(phone: SipPhone, by: Any) -> Answer:
    try:
        made = phone_changes.reset(phone, by=by)
    except phone_changes.ResetUnknown as problem:
        raise Problem(503, " ".join(problem.messages), retry_after=60) from problem
    return Answer(200, {"id": phone.pk}, made)
