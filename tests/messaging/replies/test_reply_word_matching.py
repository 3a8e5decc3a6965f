"""Which replies ask us to stop."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from laaffic_console import conf
from messaging.text.reply_word_matching import reply_word_in


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
        found = reply_word_in(content, settings.OPT_OUT_WORDS)

        assert (found.language if found else None) == language

    @pytest.mark.parametrize(
        "content",
        ["", "  ", "!!!", "Don't stop", "Stop by tomorrow?", "Bus stop", "non-stop", "Yes", "👍", "बद", "STOP " * 40],
    )
    def test_what_says_something_else_is_no_opt_out(self, content: str) -> None:
        assert reply_word_in(content, settings.OPT_OUT_WORDS) is None

    @pytest.mark.parametrize(
        "content",
        [
            "STOP STOP STOP",
            "stop, stop!",
            "STOP. Stop? stop",
            "STOPSTOP",
            "退订退订",
            "STOOOP",
            "S T O P",
            "STOP/CANCEL",
        ],
    )
    def test_it_may_be_said_more_than_once(self, content: str) -> None:
        assert reply_word_in(content, settings.OPT_OUT_WORDS)

    @pytest.mark.parametrize(
        "content",
        [
            *("Stop ✖️", "🛑 STOP 🛑", "STOP👎🏽", "Stop ❤️\u200d🔥", "«STOP»", "„Stopp“", "(stop)", "[STOP]", "*STOP*"),
            *(
                "\u200eSTOP\u200f",
                "\u202aSTOP\u202c",
                "ST\u200bOP",
                "S\u00adTOP",
                "\ufeffSTOP",
                "STOP\xa0",
                "S\u0336T\u0336OP",
            ),
            *("Ⓢⓣⓞⓟ", "𝐒𝐓𝐎𝐏", "退订！", "停止。"),
        ],
    )
    def test_what_is_not_a_letter_does_not_matter(self, content: str) -> None:
        assert reply_word_in(content, settings.OPT_OUT_WORDS)

    @pytest.mark.parametrize(
        ("content", "language"),
        [
            *(("إلغاء", "ar"), ("الغاء", "ar"), ("ألغاء", "ar"), ("إلغــاء", "ar"), ("ايقاف", "ar"), ("إِيقَاف", "ar")),
            *(("ﺇﻳﻘﺎﻑ", "ar"), ("لغو۱۱", "fa"), ("بند کریں", "ur"), ("بند كريں", "ur")),
            *(("ıptal", "tr"), ("IPTAL", "tr"), ("i\u0307ptal", "tr"), ("çık", "tr"), ("DÉSINSCRIRE", "fr")),
            *(("διαγραφή", "el"), ("στοπ", "el"), ("отмёна", "ru"), ("ВIДПИСКА", None), ("відписка", "uk")),
            *(("הֵסֵר", "he"), ("बंद\u200d", "hi"), ("रोक\u093cें", "hi"), ("বন্ধ", "bn"), ("huỷ", "vi"), ("ＤＵＮＧ", "vi")),
            *(("ﾃｽﾄ", None), ("ｽﾄｯﾌﾟ", "ja"), ("수신거부", "ko"), ("rezygnuje", "pl")),
        ],
    )
    def test_each_script_is_read_however_it_is_spelt(self, content: str, language: str | None) -> None:
        found = reply_word_in(content, settings.OPT_OUT_WORDS)

        assert (found.language if found else None) == language

    @pytest.mark.parametrize(
        "below",
        [
            *(
                "\n\nSent from my iPhone",
                "\r\n\r\nSent from my Galaxy S24",
                " - Sent from my iPhone",
                "\nSent via Outlook",
            ),
            *(
                "\r\n--\r\nMax",
                "\n-- \nACME Ltd\n+49 30 1234",
                "\n__________\nAnything at all",
                "\n\nGet Outlook for iOS",
            ),
            *(
                "\n\nVon meinem iPhone gesendet",
                "\nEnvoyé de mon iPhone",
                "\nEnviado desde mi iPhone",
                "\n发自我的iPhone",
            ),
            *(
                "\n\niPhone'umdan gönderildi",
                "\nأُرسلت من الـ iPhone",
                "\nОтправлено с iPhone",
                "\u2028Sent from my iPad",
            ),
            *(
                "\n\nMax Mustermann",
                "\nMax Mustermann",
                "\n- Max",
                "\n~ Иван",
                "\n—Ann-Kathrin O'Neil",
                "\n\nThanks,\nMax",
                "\nMit freundlichen Grüßen\nMax",
                "\nRegards, Ann",
                "\n> Sale at SHOP!",
            ),
        ],
    )
    def test_a_signature_below_says_nothing(self, below: str) -> None:
        assert reply_word_in(f"Stop{below}", settings.OPT_OUT_WORDS)

    @pytest.mark.parametrize(
        "content",
        [
            *("please don't stop", "stop by at 5", "Stop it", "non-stop", "stop.by", "RET5", "T D A", "বন্ধু", "لا توقف"),
            *(
                "Stop\nby the shop tomorrow and tell me",
                "Stop\n\nby the shop",
                "Stop\nMax",
                "Stop\n\nTomorrow",
                "Stop\n- tomorrow at five",
                "don't\nstop",
            ),
            *("Sent from my iPhone", "\u200b", "stop messages sent from my iPhone", "Stop\nThanksgiving is near"),
            *("cancel my order\n\nSent from my iPhone", "end of day", "Baja California"),
        ],
    )
    def test_a_text_that_only_contains_the_word_is_a_reply(self, content: str) -> None:
        assert reply_word_in(content, settings.OPT_OUT_WORDS) is None

    @given(
        st.sampled_from([word for words in settings.OPT_OUT_WORDS.values() for word in words]),
        st.lists(st.sampled_from([" ", ".", "!", "\u200b", "\ufe0f", "✖️", "\u202e", "…"]), max_size=4).map("".join),
        st.sampled_from([str.upper, str.lower, str.title, str]),
    )
    def test_every_word_of_the_list_is_obeyed_in_any_case_and_among_any_marks(
        self, word: str, marks: str, cased: Callable[[str], str]
    ) -> None:
        assert reply_word_in(f"{marks}{cased(word)}{marks} {word}", settings.OPT_OUT_WORDS)

    @given(st.text(max_size=80))
    def test_any_text_is_looked_at_without_an_error(self, content: str) -> None:
        reply_word_in(content, settings.OPT_OUT_WORDS)


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
