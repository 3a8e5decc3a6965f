"""Signing in by SAML: what the provider signs lets people in, with their roles, and nothing else does."""

import base64
import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import responses
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import LazySettings, settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from requests import ConnectionError as NoConnection

from laaffic_console import conf
from laaffic_console.audit.models import AuditEntry
from laaffic_console.kit.audit.acts import Act
from laaffic_console.kit.forms import asking_again
from tests.identity.conftest import GROUPS, code_of, give_password

pytest.importorskip("onelogin", reason="the extra saml is not installed")

from tests.identity import saml_provider
from tests.identity.saml_provider import Key, Said

pytestmark = pytest.mark.django_db

ADA = {"uid": ["ada"], "email": ["ada@example.com"], "groups": ["console-admins"]}


@pytest.fixture(scope="module")
def key() -> Key:
    return saml_provider.new_key()


@pytest.fixture
def provider(settings: LazySettings, tmp_path: Path, key: Key) -> Path:
    """Its metadata as a file; the console is set up for it."""
    file = tmp_path / "provider.xml"
    file.write_text(saml_provider.metadata(key))
    settings.CONSOLE_URL = "http://127.0.0.1:8000"
    settings.SAML_METADATA, settings.SAML_NAME, settings.SAML_ROLES = str(file), "Example SAML", GROUPS
    return file


@pytest.fixture
def sign_in(provider: Path, key: Key) -> Callable[..., HttpResponse]:
    def sign_in(client: Client, said: Said | None = None, by: Key = key) -> HttpResponse:
        return post(client, saml_provider.answer_to(ask(client), by, said or Said()))

    return sign_in


def ask(client: Client, **asked: str) -> str:
    """The id of the question that leaves."""
    page = client.post(f"{reverse('saml_login')}?{urlencode(asked)}")
    return str(saml_provider.question_of(page.context["onward"]).get("ID"))


def post(client: Client, answer: str, **more: str) -> HttpResponse:
    """As the provider's page makes a browser do it, and on to where the console leads."""
    put_by = Client(enforce_csrf_checks=True).post(reverse("saml_answer"), {"SAMLResponse": answer, **more})
    client.cookies.update(put_by.cookies)
    assert settings.SESSION_COOKIE_NAME not in put_by.cookies  # it came without, and must not replace the browser's
    return client.get(put_by["Location"]) if put_by["Location"] == reverse("saml_finish") else put_by


def said_on_page(client: Client) -> str:
    return str(client.get("/admin/login/").content.decode())


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def roles_of(user: User) -> list[str]:
    return list(user.groups.order_by("name").values_list("name", flat=True))


def test_a_person_is_made_with_the_roles_of_their_groups(client: Client, sign_in: Any) -> None:
    assert "Sign in with Example SAML" in said_on_page(client)
    answer = sign_in(client)

    ben = User.objects.get()
    assert answer["Location"] == "/admin/"
    assert (ben.username, ben.email, ben.is_staff, ben.is_superuser) == ("ben", "ben@example.com", True, False)
    assert roles_of(ben) == ["Operator"]
    assert not ben.has_usable_password()
    assert client.get("/admin/").status_code == 200
    assert AuditEntry.objects.filter(kind=Act.SIGN_IN, person="ben").count() == 1
    assert UserSession.objects.get().user == ben
    assert Session.objects.count() == 1  # nothing is left of the answer
    assert "linked to Example SAML" in client.get("/account/").content.decode()


def test_roles_follow_the_groups_of_the_next_sign_in(sign_in: Any) -> None:
    sign_in(Client())
    sign_in(Client(), Said(attributes={**ADA, "uid": ["ben"]}))

    assert roles_of(User.objects.get()) == ["Administrator"]
    changes = AuditEntry.objects.filter(kind=Act.CHANGED).latest("pk").summary["changes"]
    assert changes == [["groups", "Operator", "Administrator"]]


MINUTE = dt.timedelta(minutes=1)
UNTRUSTED = {
    "not signed": Said(sign=""),
    "the envelope alone is signed": Said(sign="response"),
    "signed by a broken method": Said(algorithms=saml_provider.SHA1),
    "expired": Said(minutes=-6),
    "of another provider": Said(issuer="https://other.example.com"),
    "for another console": Said(audience="https://other.example.com"),
    "for whomever": Said(audience=""),
    "sent elsewhere": Said(destination="https://other.example.com/account/saml/"),
    "to be received elsewhere": Said(recipient="https://other.example.com/account/saml/"),
    "to be received near by": Said(recipient="http://127.0.0.1:8000/account/saml/login/"),
    "to be received wherever": Said(recipient=""),
    "to another question": Said(confirmed="_another"),
    "to whichever question": Said(confirmed=""),
}


@pytest.mark.parametrize("kind", UNTRUSTED)
def test_an_answer_does_not_count_that_is(client: Client, sign_in: Any, kind: str) -> None:
    answer = sign_in(client, UNTRUSTED[kind])

    assert answer["Location"] == "/admin/login/"
    assert "The answer of Example SAML was not accepted" in said_on_page(client)
    assert not is_in(client)
    assert not User.objects.exists()


def test_nor_one_that_somebody_else_has_signed(client: Client, sign_in: Any) -> None:
    sign_in(client, by=saml_provider.new_key())

    assert "The answer of Example SAML was not accepted" in said_on_page(client)
    assert not is_in(client)


def test_nor_one_that_was_changed_after_it_was_signed(client: Client, provider: Path, key: Key) -> None:
    signed = base64.b64decode(saml_provider.answer_to(ask(client), key, Said())).decode()

    post(client, base64.b64encode(signed.replace("support", "console-admins").encode()).decode())

    assert not is_in(client)


def test_nor_does_another_assertion_beside_the_signed_one(client: Client, provider: Path, key: Key) -> None:
    question = ask(client)
    signed = base64.b64decode(saml_provider.answer_to(question, key, Said())).decode()
    begin, end = signed.index("<saml:Assertion"), signed.index("</samlp:Response>")
    evil = signed[begin:end].replace("_assertion", "_evil").replace("s-ben", "s-ada")

    post(client, base64.b64encode((signed[:begin] + evil + signed[begin:]).encode()).decode())

    assert not is_in(client)


def test_an_answer_counts_once_and_in_the_session_that_asked(client: Client, provider: Path, key: Key) -> None:
    answer = saml_provider.answer_to(ask(client), key, Said())
    thief, again = Client(), client
    post(thief, answer)
    assert not is_in(thief)
    post(client, answer)
    assert is_in(client)

    client.logout()
    post(again, answer)

    assert not is_in(again)
    assert "The sign-in at Example SAML did not work" in said_on_page(again)


def test_nor_is_it_wrapped_anew_for_a_question_of_the_thiefs(client: Client, provider: Path, key: Key) -> None:
    question = ask(client)
    stolen = base64.b64decode(saml_provider.answer_to(question, key, Said())).decode()
    thief = Client()
    envelope, assertion = stolen.split("<saml:Assertion", 1)

    again = envelope.replace(question, ask(thief)) + "<saml:Assertion" + assertion
    post(thief, base64.b64encode(again.encode()).decode())

    assert not is_in(thief)


def test_nobody_comes_without_having_asked(client: Client, provider: Path, key: Key) -> None:
    post(client, saml_provider.answer_to("", key, Said()))

    assert not is_in(client)


@pytest.mark.parametrize("answer", ["", "!", "PGE+", "x" * 131_073, base64.b64encode(b"<!DOCTYPE a><a/>").decode()])
def test_what_is_no_answer_leads_back_to_the_sign_in(client: Client, provider: Path, answer: str) -> None:
    post(client, answer)

    assert "The sign-in at Example SAML did not work" in said_on_page(client)
    assert not Session.objects.exists()


def test_who_was_refused_there_is_told_so(client: Client, sign_in: Any) -> None:
    sign_in(client, Said(status="Responder"))

    assert "The sign-in at Example SAML did not work" in said_on_page(client)


@pytest.mark.parametrize("groups", [{}, {"groups": []}, {"groups": ["knitting"]}])
def test_nobody_gets_in_without_a_role(client: Client, sign_in: Any, groups: dict[str, list[str]]) -> None:
    sign_in(client, Said(attributes={"uid": ["ben"], **groups}))

    assert "None of your groups at Example SAML has a role here" in said_on_page(client)
    assert not User.objects.exists()


def test_an_account_that_is_closed_stays_closed(client: Client, sign_in: Any) -> None:
    sign_in(Client())
    User.objects.update(is_active=False)

    sign_in(client)

    assert "This account is disabled" in said_on_page(client)
    assert not is_in(client)
    assert AuditEntry.objects.filter(kind=Act.SIGN_IN_FAILED, person="ben").exists()


@pytest.mark.parametrize("person", [Said(format=saml_provider.TRANSIENT), Said(person="x" * 200)])
def test_nobody_gets_in_whom_no_lasting_id_names(client: Client, sign_in: Any, person: Said) -> None:
    sign_in(client, person)

    assert "sent no permanent id for you" in said_on_page(client)
    assert not User.objects.exists()


def test_an_attribute_may_be_the_id_and_must_then_be_there(
    client: Client, sign_in: Any, settings: LazySettings
) -> None:
    settings.SAML_ID_ATTRIBUTE = "number"
    settings.SOCIALACCOUNT_PROVIDERS = conf.saml_provider("Example SAML", "number", "", "")
    sign_in(Client())
    assert not User.objects.exists()

    sign_in(client, Said(attributes={**ADA, "number": ["7"]}, format=saml_provider.TRANSIENT))

    assert SocialAccount.objects.get().uid == "7"


def test_an_account_that_is_here_is_linked_where_the_settings_say_so(
    client: Client, sign_in: Any, ada: User, settings: LazySettings
) -> None:
    sign_in(client, Said(attributes=ADA))
    assert "is here already and not linked to Example SAML" in said_on_page(client)

    settings.SAML_MATCH_EMAIL = True
    sign_in(client, Said(attributes=ADA))

    assert is_in(client)
    assert User.objects.count() == 1


def test_a_second_factor_is_asked_for_all_the_same(
    client: Client, sign_in: Any, ada: User, secret: str, settings: LazySettings
) -> None:
    settings.SAML_MATCH_EMAIL = True

    answer = sign_in(client, Said(attributes=ADA))

    assert answer["Location"] == "/account/second-factor/"
    assert not is_in(client)
    client.post("/account/second-factor/", {"code": code_of(secret)})
    assert is_in(client)


def test_it_leads_to_no_other_site(client: Client, provider: Path, key: Key) -> None:
    question = ask(client, next="https://evil.example.com/")

    answer = post(client, saml_provider.answer_to(question, key, Said()), RelayState="https://evil.example.com/")

    assert answer["Location"] == "/admin/"


@pytest.mark.parametrize(("ago", "is_fresh"), [(dt.timedelta(), True), (5 * MINUTE, False)])
def test_who_is_asked_again_types_the_password_there(
    client: Client, sign_in: Any, key: Key, ago: dt.timedelta, is_fresh: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client)
    noted: list[object] = []
    monkeypatch.setattr(asking_again, "note", noted.append)
    assert "Sign in with Example SAML again" in client.get("/account/again/").content.decode()
    page = client.post(f"{reverse('saml_login')}?process=redirect&next=/admin/auth/user/")
    question = saml_provider.question_of(page.context["onward"])
    assert question.get("ForceAuthn") == "true"

    post(client, saml_provider.answer_to(question.get("ID"), key, Said(authenticated=ago)))

    assert bool(noted) is is_fresh


@pytest.mark.parametrize(("ago", "is_fresh"), [(dt.timedelta(), True), (60 * MINUTE, False)])
def test_a_sign_in_there_proves_what_was_proved_there(
    client: Client, sign_in: Any, ago: dt.timedelta, *, is_fresh: bool
) -> None:
    sign_in(client, Said(authenticated=ago))

    assert is_in(client)
    assert (time.time() - client.session[asking_again.PROVED] < 60) is is_fresh


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        "<html/>",
        "<",
        saml_provider.metadata(Key("", "")),
        "<a xmlns='urn:oasis:names:tc:SAML:2.0:metadata'/>",
        "<!DOCTYPE a><a/>",
    ],
)
def test_a_provider_that_is_not_described_leaves_the_password(
    client: Client, provider: Path, ada: User, metadata: str
) -> None:
    provider.write_text(metadata)

    client.post(reverse("saml_login"))

    assert "Example SAML cannot be reached" in said_on_page(client)
    give_password(client)
    assert is_in(client)


@pytest.mark.parametrize(
    "answer", [{"body": NoConnection()}, {"status": 503}, {"status": 302}, {"body": "x" * 5_000_000}]
)
def test_so_does_one_that_is_down(client: Client, provider: Path, settings: LazySettings, answer: Any) -> None:
    settings.SAML_METADATA = "https://id.example.com/metadata"
    with responses.RequestsMock() as answers:
        answers.get(settings.SAML_METADATA, **answer)
        client.post(reverse("saml_login"))

    assert "Example SAML cannot be reached" in said_on_page(client)


def test_its_metadata_is_fetched_and_a_certificate_of_ours_is_the_only_one(
    provider: Path, sign_in: Any, key: Key, settings: LazySettings
) -> None:
    settings.SAML_METADATA = "https://id.example.com/metadata"
    first, second = Client(), Client()
    with responses.RequestsMock() as answers:
        answers.get(settings.SAML_METADATA, body=provider.read_bytes())
        sign_in(first)
        settings.SAML_CERTIFICATE = saml_provider.new_key().certificate
        sign_in(second)

    assert (is_in(first), is_in(second)) == (True, False)


def test_of_several_providers_it_is_the_one_that_the_settings_name(
    client: Client, provider: Path, sign_in: Any, settings: LazySettings
) -> None:
    settings.SAML_ENTITY_ID = "https://other.example.com"
    client.post(reverse("saml_login"))
    assert "Example SAML cannot be reached" in said_on_page(client)

    settings.SAML_ENTITY_ID = saml_provider.ENTITY
    sign_in(client)
    assert is_in(client)


def test_the_provider_is_told_where_the_console_is(client: Client, provider: Path) -> None:
    provider.unlink()

    page = client.get(reverse("saml_metadata"))

    assert 'entityID="http://127.0.0.1:8000/account/saml/metadata/"' in page.content.decode()
    assert 'Location="http://127.0.0.1:8000/account/saml/"' in page.content.decode()
    assert 'WantAssertionsSigned="true"' in page.content.decode()


def test_without_a_provider_there_is_none(client: Client) -> None:
    assert client.post("/account/saml/login/").status_code == 404
    assert client.post("/account/saml/").status_code == 404
    assert client.get("/account/saml/finish/").status_code == 404
    assert client.get("/account/saml/metadata/").status_code == 404


def test_who_sets_it_without_the_extra_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAML_METADATA", "https://id.example.com/metadata")
    monkeypatch.setattr(conf, "find_spec", lambda name: None)

    with pytest.raises(ImproperlyConfigured, match=r"laaffic-console\[saml\]"):
        conf.saml_metadata()


def test_a_certificate_is_read_or_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: Key) -> None:
    file = tmp_path / "provider.pem"
    file.write_text(key.certificate)
    monkeypatch.setenv("SAML_CERTIFICATE", str(file))
    assert conf.certificate("SAML_CERTIFICATE") == key.certificate

    file.write_text(key.private)
    with pytest.raises(ImproperlyConfigured, match="not a readable certificate file"):
        conf.certificate("SAML_CERTIFICATE")


def test_an_encrypted_assertion_is_refused_with_its_reason_in_the_log(
    client: Client, provider: Path, key: Key, caplog: pytest.LogCaptureFixture
) -> None:
    plain = base64.b64decode(saml_provider.answer_to(ask(client), key, Said())).decode()
    envelope = plain.split("<saml:Assertion", 1)[0]
    encrypted = (
        '<saml:EncryptedAssertion><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">'
        "<xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>"
        "</saml:EncryptedAssertion></samlp:Response>"
    )

    post(client, base64.b64encode((envelope + encrypted).encode()).decode())

    assert "No private key available to decrypt" in caplog.text
    assert not is_in(client)


def test_a_comment_put_in_after_signing_cuts_nothing_off(client: Client, provider: Path, key: Key) -> None:
    """A signature does not cover comments, and who reads only the text before one reads another name."""
    said = Said(person="ada@example.com.evil.example", attributes={"uid": ["ada.evil"], "groups": ["support"]})
    signed = base64.b64decode(saml_provider.answer_to(ask(client), key, said)).decode()

    changed = signed.replace("ada@example.com.evil", "ada@example.com<!---->.evil").replace(
        "ada.evil", "ada<!---->.evil"
    )
    post(client, base64.b64encode(changed.encode()).decode())

    assert SocialAccount.objects.get().uid == "ada@example.com.evil.example"
    assert User.objects.get().username == "ada.evil"
