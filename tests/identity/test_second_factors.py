"""A second factor is asked for, counted when wrong, set up, required by role, and reset by an administrator."""

import time
from urllib.parse import unquote

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from axes.models import AccessAttempt
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import translation

from laaffic_console.audit.models import AuditEntry
from laaffic_console.identity.adapters import AccountAdapter, FactorAdapter
from laaffic_console.identity.pages import code_forms
from laaffic_console.identity.services import factors
from laaffic_console.kit.audit.acts import Act
from laaffic_console.kit.forms.asking_again import PROVED
from tests.identity.conftest import PASSWORD, add_app, code_of, give_password, recovery_codes

pytestmark = pytest.mark.django_db
STEP = "/account/second-factor/"


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def kinds() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("kind", flat=True))


def test_the_password_alone_does_not_do(client: Client, secret: str) -> None:
    answer = give_password(client)

    assert answer["Location"] == STEP
    assert not is_in(client)
    assert Act.SIGN_IN not in kinds()


def test_the_code_does_and_leads_where_somebody_wanted_to_go(client: Client, secret: str) -> None:
    wanted = reverse("admin:messaging_campaign_changelist")
    client.post(f"/admin/login/?next={wanted}", {"username": "ada", "password": PASSWORD, "next": wanted})

    answer = client.post(STEP, {"code": code_of(secret)})

    assert answer["Location"] == wanted
    assert is_in(client)
    assert kinds().count(Act.SIGN_IN) == 1


def test_a_recovery_code_opens_once(ada: User, secret: str) -> None:
    code = recovery_codes(ada)[0]
    for opens in (True, False):
        client = Client()
        give_password(client)
        client.post(STEP, {"code": code})
        assert is_in(client) is opens


def test_a_code_of_the_app_opens_once_in_whichever_process(ada: User, secret: str) -> None:
    code = code_of(secret)
    for opens in (True, False):
        cache.clear()  # each process has its own, where there is no Redis
        client = Client()
        give_password(client)
        client.post(STEP, {"code": code})
        assert is_in(client) is opens


def test_nor_does_an_older_one_after_it(ada: User, secret: str) -> None:
    app = Authenticator.objects.get(user=ada, type=Authenticator.Type.TOTP)
    now = int(time.time()) // 30
    older, newer = (totp.format_hotp_value(totp.hotp_value(secret, counter)) for counter in (now, now + 1))

    assert [code_forms.take(app, code) for code in (newer, older, newer)] == [True, False, False]


def test_wrong_codes_count_as_wrong_passwords_do(client: Client, secret: str, settings: LazySettings) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    give_password(client)

    answers = [client.post(STEP, {"code": "000000"}).status_code for _time in range(3)]
    late = client.post(STEP, {"code": code_of(secret)})

    assert answers == [200, 200, 429]
    assert late.status_code == 429
    assert not is_in(client)
    assert AccessAttempt.objects.get().username == "ada"
    assert kinds() == [Act.SIGN_IN_FAILED, Act.SIGN_IN_FAILED, Act.LOCKED_OUT]
    assert give_password(Client()).status_code == 429


def test_nobody_gets_to_the_second_step_without_the_first(client: Client, secret: str) -> None:
    assert client.post(STEP, {"code": code_of(secret)}).status_code == 302
    assert not is_in(client)


def test_what_was_typed_before_the_sign_in_comes_after_its_second_step(client: Client, secret: str) -> None:
    sent = client.post("/admin/messaging/contactgroup/add/", {"name": "friends of ours"})
    kept = sent.context["kept"]
    give_password(client, kept=kept)

    answer = client.post(STEP, {"code": code_of(secret)})

    assert "friends of ours" in answer.content.decode()


def test_an_app_is_set_up_with_its_first_code_and_recovery_codes_are_shown_once(signed_in: Client, ada: User) -> None:
    page = signed_in.get("/account/app/")
    secret = page.context["form"].secret

    led_to = signed_in.post("/account/app/", {"code": code_of(secret)})
    first, second = (signed_in.get(led_to["Location"]).content.decode() for _time in range(2))

    code = recovery_codes(ada)[0]
    assert code in first
    assert code not in second
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert Act.FACTOR_ADDED in kinds()


def test_what_another_key_has_encrypted_opens_nothing(client: Client, secret: str, settings: LazySettings) -> None:
    settings.SECRET_KEY = "another"
    assert FactorAdapter().decrypt("nonsense") != FactorAdapter().decrypt("nonsense")

    give_password(client)
    client.post(STEP, {"code": code_of(secret)})

    assert not is_in(client)


def test_a_role_that_needs_one_opens_nothing_else_before(client: Client, settings: LazySettings, ada: User) -> None:
    settings.SECOND_FACTOR_ROLES = ["Operator"]
    ben = User.objects.create_user("ben", password=PASSWORD, is_staff=True)
    ben.groups.add(Group.objects.get(name="Operator"))
    give_password(client, name="ben")

    assert client.get("/admin/")["Location"] == "/account/"
    assert "Your role asks for a second factor" in client.get("/account/").content.decode()
    assert client.get("/account/app/").status_code == 200
    secret = client.get("/account/app/").context["form"].secret
    client.post("/account/app/", {"code": code_of(secret)})
    assert client.get("/admin/").status_code == 200
    assert not factors.is_missing(ada)
    settings.SECOND_FACTOR_ROLES = ["Administrator"]
    assert factors.is_missing(ada)


@pytest.fixture
def ben(settings: LazySettings) -> User:
    """An operator, whose role needs a second factor that he does not have."""
    settings.SECOND_FACTOR_ROLES = ["Operator"]
    ben = User.objects.create_user("ben", password=PASSWORD, is_staff=True)
    ben.groups.add(Group.objects.get(name="Operator"))
    return ben


def set_up_app(client: Client) -> HttpResponse:
    """As far as the page with the recovery codes."""
    secret = client.get("/account/app/").context["form"].secret
    return client.post("/account/app/", {"code": code_of(secret)})


def test_setting_up_a_compulsory_factor_leads_on_to_the_page_that_was_asked_for(client: Client, ben: User) -> None:
    wanted = reverse("admin:messaging_campaign_changelist") + "?state=draft"
    client.force_login(ben)
    client.get(wanted)
    client.get("/admin/", headers={"X-Requested-With": "fetch"})  # an open page, by itself
    client.get("/admin/", headers={"Sec-Fetch-Mode": "cors"})

    codes = set_up_app(client)["Location"]
    client.get("/admin/", headers={"X-Requested-With": "fetch"})
    done = client.post(codes)

    assert codes == reverse("mfa_view_recovery_codes")
    assert done["Location"] == wanted
    client.get(wanted)
    assert client.post(codes)["Location"] == "/account/"  # the next time it is where they came from


def test_before_the_factor_is_there_done_leads_nowhere_else(client: Client, ben: User) -> None:
    client.force_login(ben)
    client.get("/admin/")

    assert client.post(reverse("mfa_view_recovery_codes"))["Location"] == "/account/"


def test_a_form_that_met_the_gate_is_shown_again_once_the_factor_is_there(client: Client, ben: User) -> None:
    client.force_login(ben)
    client.post("/admin/messaging/contactgroup/add/", {"name": "friends of ours"})

    codes = set_up_app(client)["Location"]
    done = client.post(codes)

    assert "friends of ours" in done.content.decode()
    assert "Not sent yet" in done.content.decode()


def test_to_prove_who_is_there_is_not_yet_the_end_of_it(client: Client, ben: User) -> None:
    """The role came to ask for a factor while somebody had been signed in for hours."""
    give_password(client, name="ben")
    session = client.session
    session[PROVED] -= 3600
    session["account_authentication_methods"] = []
    session.save()
    client.post("/admin/messaging/contactgroup/add/", {"name": "friends of ours"})

    asked = client.get("/account/app/")["Location"]
    proved = client.post(asked, {"password": PASSWORD})
    codes = set_up_app(client)["Location"]
    done = client.post(codes)

    assert proved["Location"] == "/account/app/"
    assert "friends of ours" in done.content.decode()


def test_a_form_that_nobody_came_back_for_is_not_shown_later(client: Client, ben: User) -> None:
    client.force_login(ben)
    client.post("/admin/messaging/contactgroup/add/", {"name": "friends of ours"})
    codes = set_up_app(client)["Location"]
    client.get(codes)

    client.get("/admin/")

    assert client.post(codes)["Location"] == "/account/"


def test_who_signs_in_with_a_recovery_code_learns_how_many_are_left(ada: User, secret: str) -> None:
    said = []
    for code in recovery_codes(ada):
        client = Client()
        give_password(client)
        client.post(STEP, {"code": code})
        said.append([str(one) for one in get_messages(client.get("/account/").wsgi_request)])
        page = client.get("/account/").content.decode()

    assert said[0] == ["You used a recovery code: 9 of 10 are left."]
    assert said[7] == ["You used a recovery code: 2 of 10 are left. Make new ones under your name → My sign-in."]
    assert said[9][0].startswith("You used a recovery code: 0 of 10 are left.")
    assert "0 of 10 are left" in page
    assert "Make new recovery codes before you need them" in page


def test_my_sign_in_says_how_many_recovery_codes_are_left(signed_in: Client, secret: str) -> None:
    page = signed_in.get("/account/").content.decode()

    assert "10 of 10 are left" in page
    assert "before you need them" not in page


def test_recovery_codes_come_as_a_file_with_the_page_that_shows_them(signed_in: Client, ada: User) -> None:
    signed_in.get("/account/app/")
    page = signed_in.get(set_up_app(signed_in)["Location"])
    again = signed_in.get(reverse("mfa_view_recovery_codes"))

    file = unquote(page.context["file"].partition(",")[2])
    assert file.split("\r\n")[2:-1] == recovery_codes(ada)
    assert "Recovery codes of ada for http" in file
    assert again.context["file"] == ""
    assert "****" not in again.content.decode()


def test_removing_the_last_factor_says_what_follows(signed_in: Client, secret: str, settings: LazySettings) -> None:
    optional = signed_in.get("/account/app/remove/").content.decode()
    settings.SECOND_FACTOR_ROLES = ["Administrator"]
    compulsory = signed_in.get("/account/app/remove/").content.decode()
    Authenticator.objects.create(user=User.objects.get(), type=Authenticator.Type.WEBAUTHN, data={})
    one_of_two = signed_in.get("/account/app/remove/").content.decode()

    assert "After that, the password alone signs you in." in optional
    assert "no other page opens" in compulsory
    assert "recovery codes go with it" in optional
    assert "recovery codes go with it" not in one_of_two


def test_the_second_step_says_who_signs_in_and_who_helps_when_everything_is_lost(client: Client, secret: str) -> None:
    give_password(client)

    page = client.get(STEP).content.decode()
    assert "An administrator can reset your second factors" in page
    assert 'You are signing in as <strong class="c-anywhere">ada</strong>' in page


def add_passkey(user: User) -> Authenticator:
    """That no browser answers for: of pages that only name it."""
    data = {"name": "work laptop", "credential": {}}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)


def test_a_passkey_is_removed(signed_in: Client, ada: User, secret: str) -> None:
    page = f"/account/passkeys/{add_passkey(ada).pk}/remove/"

    asked = signed_in.get(page).content.decode()
    done = signed_in.post(page)

    assert "After that, it does not work any more." in asked
    assert done["Location"] == "/account/"
    assert factors.is_last(ada)


def test_ways_to_prove_it_again_are_called_as_on_other_pages(signed_in: Client, ada: User, secret: str) -> None:
    add_passkey(ada)
    page = signed_in.get("/account/again/").content.decode()
    with translation.override("zh-hans"):
        said = [one["description"] for one in AccountAdapter().get_reauthentication_methods(ada)]

    assert "Use a code of the authenticator app, or a recovery code" in page
    assert "Use a passkey" in page
    assert said == ["使用密码", "使用验证器应用的验证码，或恢复码", "使用通行密钥"]


def test_a_code_is_asked_for_in_the_same_words_everywhere(signed_in: Client, ada: User) -> None:
    first = signed_in.get("/account/app/").content.decode()
    add_app(ada)
    again = signed_in.get("/account/again/code/").content.decode()

    assert "Code that the app shows" in first
    assert "Code of the authenticator app, or a recovery code" in again
    assert all('inputmode="numeric"' in page for page in (first, again))


def test_a_wrong_password_that_is_asked_for_again_says_what_to_check(signed_in: Client) -> None:
    page = signed_in.post("/account/again/", {"password": "wrong"}).content.decode()

    assert "The password is wrong. Check capital and small letters." in page
