"""Signing in by SAML: the question that leaves, and the answer that counts. Whom it lets in, `admission` says.

An answer counts once, in the browser that asked for it, and only as what the provider has signed: its assertion names
this console as its audience and its recipient, and the question that it answers. The library lets an assertion leave
some of that out, so that is looked at again here. Nobody comes without having asked (IdP-initiated sign-in).

python3-saml is an extra of the installation, so it is imported where it is used.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.sessions import LoginSession
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from laaffic_console.identity.services import providers

HELD = "saml-answer"  # the cookie of an answer that is put by
LONGEST_ANSWER = 128 * 1024  # anybody may post one, and it is kept until the next request
LONGEST_METADATA = 4 * 1024 * 1024
LONGEST_ID = 191  # what allauth keeps
ANSWER_SECONDS = 300  # between the post and the request that it leads on to
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
CONFIRMATIONS = "/saml:Subject/saml:SubjectConfirmation"
DATA = "{urn:oasis:names:tc:SAML:2.0:assertion}SubjectConfirmationData"


class Unusable(Exception):
    """`why` is one of admission.WHY_NOT; the rest is for the log."""

    def __init__(self, why: str, problem: object) -> None:
        self.why = why
        super().__init__(repr(problem)[:300])  # some of it a stranger has written


# The question


def begin(request: HttpRequest) -> str:
    """The provider's address with a question, which this session remembers. Who proves it again types the password."""
    from onelogin.saml2.auth import OneLogin_Saml2_Auth

    provider = _provider(request)
    asked = provider.get_redirect_from_request_kwargs(request)
    auth = OneLogin_Saml2_Auth(_received({}), _settings_of_both())
    address = auth.login(return_to="", force_authn=asked["process"] == AuthProcess.REDIRECT)
    provider.stash_redirect_state(request, state_id=auth.get_last_request_id(), asked_at=time.time(), **asked)
    return str(address)


def own_metadata() -> str:
    """This console's metadata for the provider's administrator; it needs no answer of the provider."""
    from onelogin.saml2.settings import OneLogin_Saml2_Settings

    found = OneLogin_Saml2_Settings(_config(None), sp_validation_only=True).get_sp_metadata()
    return found.decode() if isinstance(found, bytes) else str(found)


# The answer


def put_by(request: HttpRequest, answer: HttpResponse) -> None:
    given = request.POST.get("SAMLResponse", "")
    if not given or len(given) > LONGEST_ANSWER:
        raise Unusable("failed", f"an answer of {len(given)} characters")
    held = _held(request)
    held.store.set_expiry(ANSWER_SECONDS)
    held.store["answer"] = given
    held.save(answer)
    answer.cookies[HELD]["httponly"] = True


def finish(request: HttpRequest) -> HttpResponse:
    held = _held(request)
    given = str(held.store.get("answer", ""))
    held.delete()
    provider = _provider(request)
    question = _question_of(given)
    try:
        state = provider.unstash_redirect_state(request, question)
    except PermissionDenied:
        raise Unusable("failed", "it answers no question of this session, or one that is answered") from None
    response = _checked(given, question, state)
    login = provider.sociallogin_from_response(request, response)
    login.state = {**state, "proved_at": _proved_at(response)}
    return cast(HttpResponse, complete_social_login(request, login))


def _question_of(given: str) -> str:
    """The question's id as the answer's unsigned envelope has it: it finds the question, and proves nothing."""
    from onelogin.saml2.utils import OneLogin_Saml2_Utils
    from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

    envelope = _read(lambda: OneLogin_Saml2_XML.to_etree(OneLogin_Saml2_Utils.b64decode(given)), why="failed")
    return str(envelope.get("InResponseTo", ""))


def _checked(given: str, question: str, state: dict[str, Any]) -> Any:
    from onelogin.saml2.errors import OneLogin_Saml2_ValidationError
    from onelogin.saml2.response import OneLogin_Saml2_Response

    known = _settings_of_both()
    try:
        response = OneLogin_Saml2_Response(known, given)
        response.is_valid(_received({"SAMLResponse": given}), question, raise_exceptions=True)
        _check_what_may_be_left_out(response, question)
    except Unusable:
        raise
    except Exception as problem:  # lxml, xmlsec and the library have many kinds, and none of them lets anybody in
        has_refused = getattr(problem, "code", None) == OneLogin_Saml2_ValidationError.STATUS_CODE_IS_NOT_SUCCESS
        raise Unusable("failed" if has_refused else "untrusted", problem) from None
    _check_id(response)
    if state.get("process") == AuthProcess.REDIRECT:
        _check_proved_since(response, state["asked_at"])
    return response


def _check_what_may_be_left_out(response: Any, question: str) -> None:
    if _address("saml_metadata") not in response.get_audiences():
        raise Unusable("untrusted", "the assertion names no audience")
    found = [one for one in _signed(response, CONFIRMATIONS) if one.get("Method") == BEARER]
    if not found or not all(_is_for_us(one.find(DATA), question) for one in found):
        raise Unusable("untrusted", "the assertion is not for this console and its question")


def _is_for_us(data: Any, question: str) -> bool:
    return (
        data is not None
        and data.get("InResponseTo") == question
        and data.get("Recipient") == _address("saml_answer")
        and bool(data.get("NotOnOrAfter"))
    )


def _check_id(response: Any) -> None:
    """Refuse an answer without a lasting id: a transient NameID changes, so nobody is known again by it."""
    if name := settings.SAML_ID_ATTRIBUTE:
        found = (response.get_attributes().get(name) or [""])[0]
    else:
        found = "" if response.get_nameid_format() == TRANSIENT else response.get_nameid()
    if not found or len(found) > LONGEST_ID:
        raise Unusable("no_id", "no lasting id, or one that is too long")


def _check_proved_since(response: Any, asked_at: float) -> None:
    """A provider may answer from an older sign-in, which proves nothing of now."""
    if _proved_at(response) < asked_at - providers.DRIFT_SECONDS:
        raise Unusable("untrusted", "the provider did not ask again who is there")


def _proved_at(response: Any) -> float:
    """When the provider asked, in seconds since 1970; 0 where it does not say so in a way that can be read."""
    moments = [parse_datetime(one.get("AuthnInstant", "")) for one in _signed(response, "/saml:AuthnStatement")]
    known = [moment.timestamp() for moment in moments if moment is not None and moment.tzinfo is not None]
    return min(known) if known and len(known) == len(moments) else 0.0


def _signed(response: Any, path: str) -> list[Any]:
    """The elements at `path` of the assertion whose signature was checked, and of no other that lies beside it."""
    return list(response._query_assertion(path))


# Who the two are


def _provider(request: HttpRequest) -> Any:
    return get_adapter().get_provider(request, providers.SAML)


def _held(request: HttpRequest) -> Any:
    return LoginSession(request, "saml_held", HELD)


def _address(name: str) -> str:
    """The page's address below CONSOLE_URL, and not below what a request calls its host."""
    return f"{settings.CONSOLE_URL}{reverse(name)}"


def _received(posted: dict[str, str]) -> dict[str, Any]:
    """The request as the library expects it: at the address that the provider was given."""
    place = urlsplit(_address("saml_answer"))
    return {
        "https": "on" if place.scheme == "https" else "off",
        "http_host": place.netloc,
        "script_name": "",
        "path_info": place.path,
        "get_data": {},
        "post_data": posted,
    }


def _settings_of_both() -> Any:
    from onelogin.saml2.settings import OneLogin_Saml2_Settings

    metadata = _metadata()
    return _read(lambda: OneLogin_Saml2_Settings(_config(metadata)))


def _config(metadata: bytes | None) -> dict[str, Any]:
    own = {
        "entityId": _address("saml_metadata"),
        "assertionConsumerService": {"url": _address("saml_answer"), "binding": POST},
    }
    security = {
        "wantAssertionsSigned": True,
        "rejectDeprecatedAlgorithm": True,
        "requestedAuthnContext": False,
        "wantNameId": False,
        "wantAttributeStatement": False,  # who sends no groups is told so
        "allowRepeatAttributeName": True,
        "allowSingleLabelDomains": True,
    }
    known = {} if metadata is None else {"idp": _described(metadata)}
    return {"strict": True, "sp": own, "security": security, **known}


def _described(metadata: bytes) -> dict[str, Any]:
    """The provider's addresses and certificates. SAML_CERTIFICATE, where it is set, is the only certificate."""
    from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser

    found = OneLogin_Saml2_IdPMetadataParser.parse(metadata, entity_id=settings.SAML_ENTITY_ID or None).get("idp")
    if not found or "singleSignOnService" not in found:
        raise Unusable("down", "the metadata names no provider that is asked by redirect")
    if settings.SAML_CERTIFICATE:
        return {**found, "x509cert": settings.SAML_CERTIFICATE, "x509certMulti": {}}
    return dict(found)


def _metadata() -> bytes:
    """The provider's metadata, read at each sign-in: a provider with a new certificate is known by it at once."""
    try:
        if "://" in settings.SAML_METADATA:
            return _fetched(settings.SAML_METADATA)
        return Path(settings.SAML_METADATA).read_bytes()
    except (OSError, requests.RequestException) as problem:
        raise Unusable("down", problem) from None


def _fetched(address: str) -> bytes:
    """A redirect is not followed: it might lead to where nobody proves who is there."""
    timeout = settings.SOCIALACCOUNT_REQUESTS_TIMEOUT
    with requests.get(address, timeout=timeout, allow_redirects=False, stream=True) as answer:
        if answer.status_code != 200:
            raise Unusable("down", f"the metadata's address answers {answer.status_code}")
        found = bytes(answer.raw.read(LONGEST_METADATA + 1, decode_content=True))
    if len(found) > LONGEST_METADATA:
        raise Unusable("down", "the metadata is too long")
    return found


def _read(parse: Callable[[], Any], why: str = "down") -> Any:
    """Parse what others wrote and nobody signed: whatever is wrong with it is their fault, and raised as Unusable."""
    try:
        return parse()
    except Unusable:
        raise
    except Exception as problem:  # lxml's are not ValueErrors, and the library raises bare Exceptions
        raise Unusable(why, problem) from None
