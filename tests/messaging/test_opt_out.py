"""Which replies ask us to stop."""

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from laaffic_console import conf
from messaging.opt_out import opt_out_in


class OptOutTests:
    @pytest.mark.parametrize(
        ("content", "language"),
        [
            ("STOP", "en"),
            (" stop. ", "en"),
            ("“Stop!!”", "en"),
            ("Stop stop", "en"),
            ("ＳＴＯＰ", "en"),
            ("unsubscribe", "en"),
            ("opt-out", "en"),
            ("Stopp", "de"),
            ("arrêt", "fr"),
            ("ARRET", "fr"),
            ("бесплатно? СТОП", None),
            ("стоп", "ru"),
            ("iptal", "tr"),
            ("İptal", "tr"),
            ("बंद करो", "hi"),
            ("退订", "zh"),
            ("退订。", "zh"),
            ("td", "zh"),
        ],
    )
    def test_the_words_by_language(self, content: str, language: str | None) -> None:
        found = opt_out_in(content, settings.OPT_OUT_WORDS)

        assert (found.language if found else None) == language

    @pytest.mark.parametrize(
        "content",
        ["", "  ", "!!!", "Don't stop", "Stop by tomorrow?", "Bus stop", "non-stop", "Yes", "👍", "बद", "STOP " * 40],
    )
    def test_what_says_something_else_is_no_opt_out(self, content: str) -> None:
        assert opt_out_in(content, settings.OPT_OUT_WORDS) is None


class SettingTests:
    def test_a_language_can_be_given_other_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPT_OUT_WORDS", '{"en": ["HALT"]}')

        words = conf.opt_out_words()

        assert words["en"] == ["HALT"]
        assert "STOPP" in words["de"]

    @pytest.mark.parametrize("given", ['["STOP"]', '{"en": "STOP"}', '{"en": [""]}'])
    def test_another_shape_is_refused_at_the_start(self, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
        monkeypatch.setenv("OPT_OUT_WORDS", given)

        with pytest.raises(ImproperlyConfigured, match="OPT_OUT_WORDS is JSON like"):
            conf.opt_out_words()
