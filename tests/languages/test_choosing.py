"""Who reads the console in which language: chosen, else asked for by the browser, else the console's own."""

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from django.utils import translation

from laaffic_console import conf
from laaffic_console import settings as global_settings

pytestmark = pytest.mark.django_db

PASSWORD = "a-password-of-a-test"


@pytest.fixture(autouse=True)
def two_languages(settings: LazySettings) -> None:
    """As shipped, and whatever is offered later."""
    settings.LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
    settings.UNFOLD = {**settings.UNFOLD, "SHOW_LANGUAGES": True}


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada", password=PASSWORD)


def language_of(client: Client, **headers: str) -> str:
    page = client.get(reverse("admin:index"), follow=True, headers=headers)
    return page.content.decode().partition('<html lang="')[2].partition('"')[0]


def choose(client: Client, code: str) -> None:
    answer = client.post(reverse("set_language"), {"language": code, "next": "/admin/"})
    assert answer.status_code == 302
    assert answer["Location"] == "/admin/"


def sign_in(client: Client) -> None:
    client.post(reverse("admin:login"), {"username": "ada", "password": PASSWORD})


class ChoosingTests:
    @pytest.mark.parametrize(
        ("asked", "spoken"),
        [("zh-CN,zh;q=0.9", "zh-hans"), ("zh-SG", "zh-hans"), ("en-GB,en", "en"), ("pt-BR", "en"), ("", "en")],
    )
    def test_a_browser_is_answered_in_its_language(self, client: Client, asked: str, spoken: str) -> None:
        assert language_of(client, **{"accept-language": asked}) == spoken

    def test_what_was_chosen_comes_before_the_browsers(self, client: Client, ada: User) -> None:
        client.force_login(ada)
        choose(client, "zh-hans")
        assert language_of(client, **{"accept-language": "en"}) == "zh-hans"

    def test_a_choice_follows_its_person_to_another_machine_and_nobody_else(self, client: Client, ada: User) -> None:
        client.force_login(ada)
        choose(client, "zh-hans")
        User.objects.create_superuser("bea", password=PASSWORD)

        elsewhere, beas = Client(), Client()
        sign_in(elsewhere)
        beas.post(reverse("admin:login"), {"username": "bea", "password": PASSWORD})

        assert language_of(elsewhere) == "zh-hans"
        assert language_of(beas) == "en"

    def test_a_choice_on_the_sign_in_page_is_the_newest_word(self, client: Client, ada: User) -> None:
        client.force_login(ada)
        choose(client, "zh-hans")

        elsewhere = Client()
        choose(elsewhere, "en")
        sign_in(elsewhere)
        third = Client()
        sign_in(third)

        assert language_of(elsewhere) == language_of(third) == "en"

    def test_the_sign_in_page_stays_in_the_language_after_signing_out(self, client: Client, ada: User) -> None:
        client.force_login(ada)
        choose(client, "zh-hans")
        client.post(reverse("admin:logout"))
        assert language_of(client) == "zh-hans"

    @pytest.mark.parametrize("code", ["tlh", "fr", ""], ids=["unknown", "Django's own", "none"])
    def test_a_language_that_is_not_offered_changes_nothing(self, client: Client, ada: User, code: str) -> None:
        client.force_login(ada)
        choose(client, code)
        assert language_of(client) == "en"

    def test_a_choice_that_is_no_longer_offered_is_forgotten(
        self, client: Client, ada: User, settings: LazySettings
    ) -> None:
        client.force_login(ada)
        choose(client, "zh-hans")

        settings.LANGUAGES = [("en", "English")]

        assert language_of(client, **{"accept-language": "zh-CN"}) == "en"

    def test_every_page_offers_the_languages(self, client: Client, ada: User) -> None:
        assert "简体中文" in client.get(reverse("admin:login")).content.decode()
        client.force_login(ada)
        assert "简体中文" in client.get(reverse("admin:index")).content.decode()

    def test_no_other_site_is_gone_to(self, client: Client) -> None:
        answer = client.post(reverse("set_language"), {"language": "en", "next": "https://elsewhere.example/"})
        assert answer["Location"] == "/"


class TheConsolesOwnLanguageTests:
    def test_it_is_named_in_the_environment(self, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LANGUAGE_CODE", "zh-Hans")
        assert conf.language_code(settings.LANGUAGES) == "zh-hans"

    def test_one_that_is_not_there_is_refused(self, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LANGUAGE_CODE", "fr")
        with pytest.raises(ImproperlyConfigured, match="en, zh-hans"):
            conf.language_code(settings.LANGUAGES)


class WhatIsOfferedTests:
    def test_english_and_simplified_chinese(self) -> None:
        assert [code for code, _name in global_settings.LANGUAGES] == ["en", "zh-hans"]
        assert global_settings.UNFOLD["SHOW_LANGUAGES"]

    @pytest.mark.parametrize(
        ("whose", "english", "chinese"),
        [
            ("ours", "Campaigns", "群发任务"),
            ("Django's", "Enter a valid date.", "输入一个有效的日期。"),
            ("unfold's", "Filters", "筛选"),
            ("axes'", "access attempts", "登录尝试"),
        ],
    )
    def test_what_libraries_say_is_there_too(self, whose: str, english: str, chinese: str) -> None:
        with translation.override("zh-hans"):
            assert chinese in translation.gettext(english)

    def test_a_single_language_is_no_choice(self, client: Client, ada: User, settings: LazySettings) -> None:
        settings.LANGUAGES = [("en", "English")]
        settings.UNFOLD = {**settings.UNFOLD, "SHOW_LANGUAGES": False}

        sign_in_page = client.get(reverse("admin:login")).content.decode()
        client.force_login(ada)
        front_page = client.get(reverse("admin:index")).content.decode()

        assert reverse("set_language") not in sign_in_page + front_page
