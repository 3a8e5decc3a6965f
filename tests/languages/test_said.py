"""What a worker wrote in one language is read in another, by its words and values."""

import copy
import datetime as dt
import pickle

import pytest
from django.utils import timezone, translation

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.kit.words import said
from laaffic_console.kit.words.said import gettext, joined, kept, ngettext, read
from messaging.models import Campaign, CampaignEvent, CampaignState

HELD = "Held: %(reason)s"
MAILS = (
    "It is not known yet whether %(n)d email was delivered.",
    "It is not known yet whether %(n)d emails were delivered.",
)
NOW = dt.datetime(2027, 4, 3, 9, 30, tzinfo=dt.UTC)


def in_chinese(held: str) -> str:
    with translation.override("zh-hans"):
        return read(held)


class KeptSentenceTests:
    def test_words_without_a_value(self) -> None:
        assert gettext("Launched") == "Launched"
        assert in_chinese(kept(gettext("Launched"))) == "已启动"

    def test_values_are_put_into_the_words_of_the_reader(self) -> None:
        assert in_chinese(kept(gettext(HELD) % {"reason": "because"})) == "已暂挂：because"

    def test_a_sentence_within_a_sentence_is_read_too(self) -> None:
        whole = gettext(HELD) % {"reason": gettext("It was paused. Resume sends the rest.")}
        assert "点击“继续”发送其余部分" in in_chinese(kept(whole))

    def test_a_choices_label_is_read_in_the_readers_language(self) -> None:
        with translation.override("zh-hans"):
            held = kept(gettext(HELD) % {"reason": CampaignState.PAUSED.label})
        assert read(held) == "Held: Paused"

    @pytest.mark.parametrize(("n", "english"), [(1, "1 email was"), (2, "2 emails were")])
    def test_plurals(self, n: int, english: str) -> None:
        with translation.override("zh-hans"):
            held = kept(ngettext(*MAILS, n) % {"n": n})
        assert english in read(held)

    def test_a_moment_is_written_as_its_reader_writes_it(self) -> None:
        held = kept(gettext(HELD) % {"reason": NOW})
        assert read(held) == "Held: 3 Apr 2027, 09:30"
        assert in_chinese(held) == "已暂挂：2027年4月3日 09:30"

    def test_a_figure_is_written_as_its_reader_writes_it(self) -> None:
        held = kept(gettext("%(n)d unknown messages sent again: %(why)s") % {"n": 20000, "why": "no"})
        assert read(held) == "20,000 unknown messages sent again: no"
        with translation.override("de"):
            assert read(held).startswith("20.000 ")
        assert ngettext(*MAILS, 1234) % {"n": 1234} == "It is not known yet whether 1,234 emails were delivered."

    def test_what_names_something_is_no_figure(self) -> None:
        said_of = gettext("An edit of task %(id)d, which Laaffic has as it was before") % {"id": 20000}
        assert "task 20000," in said_of

    def test_sentences_that_follow_each_other(self) -> None:
        assert in_chinese(kept(joined([gettext("Launched"), gettext("Paused")], "; "))) == "已启动; 已暂停"

    @pytest.mark.parametrize("text", ["somebody's own words, 100 %", "", "{}", f"{said.MARK}{{}}"])
    def test_plain_text_stays_as_it_is(self, text: str) -> None:
        assert read(kept(text)) == text.replace(said.MARK, "")

    def test_an_exception_hands_it_on(self) -> None:
        problem = ValueError(gettext("Launched"))
        assert in_chinese(kept(str(problem))) == "已启动"

    @pytest.mark.parametrize("through", [copy.deepcopy, lambda text: pickle.loads(pickle.dumps(text))])
    def test_copies_and_caches_keep_its_words(self, through: object) -> None:
        assert callable(through)
        assert in_chinese(kept(through(gettext(HELD) % {"reason": "x"}))) == "已暂挂：x"


def a_campaign(hold_reason: str) -> Campaign:
    application = Application.objects.create(app_id="App", channel=Channel.SMS)
    return Campaign.objects.create(name="n", text="t", application=application, hold_reason=hold_reason)


@pytest.mark.django_db
class SaidFieldTests:
    def test_a_row_is_read_in_the_language_of_now(self) -> None:
        campaign = a_campaign(gettext(HELD) % {"reason": NOW})
        CampaignEvent.objects.create(campaign=campaign, text=gettext("Launched"), at=timezone.now())

        with translation.override("zh-hans"):
            campaign.refresh_from_db()
            assert campaign.hold_reason == "已暂挂：2027年4月3日 09:30"
            assert campaign.events.values_list("text", flat=True).get() == "已启动"

        assert Campaign.objects.get(hold_reason=gettext(HELD) % {"reason": NOW}).hold_reason.startswith("Held:")

    def test_a_row_from_before_is_read_as_it_was_written(self) -> None:
        a_campaign("Held for 5 %(odd)s reasons")
        with translation.override("zh-hans"):
            assert Campaign.objects.get().hold_reason == "Held for 5 %(odd)s reasons"
