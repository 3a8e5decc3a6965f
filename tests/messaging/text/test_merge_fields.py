"""Merge fields: what is one, what is a mistake, and that a value is text."""

import re
import types

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from messaging.text import merge_fields
from messaging.text.merge_fields import Field, MergeError, parse

without_deadline = hypothesis_settings(deadline=None, database=None)
names = st.from_regex(merge_fields.NAME, fullmatch=True)
words = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=20)


def rendered(text: str, **values: str) -> str:
    return merge_fields.render(parse(text), values)


class FallbackTests:
    @pytest.mark.parametrize("unseen", ["\u200b", "\u2800 \u3164", "\u00ad"])
    def test_one_that_nobody_can_see_is_told_while_a_text_is_written(self, unseen: str) -> None:
        with pytest.raises(MergeError, match=r"\{\{city\|…\}\} has nothing behind the \|"):
            merge_fields.check_fallbacks(f"Hi {{{{name|you}}}} of {{{{city|{unseen}}}}}")
        assert parse(f"{{{{city|{unseen}}}}}").fields == ["city"]  # what was launched with one is sent as it was

    @pytest.mark.parametrize("text", ["{{city|}}", "{{city| }}", "{{city}}", "{{city|there}}", "\u200b"])
    def test_none_is_none(self, text: str) -> None:
        merge_fields.check_fallbacks(text)


class RenderTests:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("Hi {{name}}!", "Hi Ann!"),
            ("Hi {{ name }}!", "Hi Ann!"),
            ("Hi {{\u00a0name\n}}!", "Hi Ann!"),
            ("{{name}}{{name}}", "AnnAnn"),
            ("{{name|friend}}", "Ann"),
            ("{{city|your town}}", "your town"),
            ("{{ city | your town }}", "your town"),
            ("{{city|}}", ""),
            ("{{city}}", ""),
            ("{{city|a|b}}", "a|b"),
            ("no field", "no field"),
            ("", ""),
            ("100 % {of} it} {", "100 % {of} it} {"),
            ("{{{name}}}", "{Ann}"),
            ("%s {0} \\1 $name", "%s {0} \\1 $name"),
        ],
    )
    def test_it_says(self, text: str, said: str) -> None:
        assert rendered(text, name="Ann") == said

    def test_an_empty_value_is_a_missing_one(self) -> None:
        assert rendered("Hi {{name|friend}}", name="") == "Hi friend"

    def test_a_value_is_not_expanded_again(self) -> None:
        assert rendered("{{name}} {{city}}", name="{{city}}", city="{{name}}") == "{{city}} {{name}}"

    def test_any_mapping_will_do(self) -> None:
        values = types.MappingProxyType({"name": "Ann"})

        assert merge_fields.render(parse("Hi {{name}}"), values) == "Hi Ann"

    @given(st.lists(st.tuples(words, names, words)), words, st.dictionaries(names, st.text(max_size=9), max_size=3))
    @without_deadline
    def test_it_says_the_words_and_the_values_between_them(
        self, pieces: list[tuple[str, str, str]], end: str, values: dict[str, str]
    ) -> None:
        values |= {name: f"{{{{{name}}}}}" for _, name, _ in pieces[::2]}
        text = "".join(f"{before}{{{{{name}|{fallback}}}}}" for before, name, fallback in pieces) + end

        said = merge_fields.render(parse(text), values)

        assert said == end.join(
            ["".join(b + (values.get(name) or fallback.strip(merge_fields.SPACE)) for b, name, fallback in pieces), ""]
        )

    @given(words)
    @without_deadline
    def test_a_text_without_braces_says_itself(self, text: str) -> None:
        assert rendered(text) == text

    def test_first_name_is_the_first_word_of_the_name(self) -> None:
        assert merge_fields.with_derived({"name": " Ann  Lee "})["first_name"] == "Ann"
        assert merge_fields.with_derived({})["first_name"] == ""


class FieldsTests:
    def test_each_name_comes_once_in_the_order_of_the_text(self) -> None:
        assert merge_fields.fields("{{city}} {{name|x}} {{ city }}") == ["city", "name"]

    def test_unknown_ones_are_those_no_contact_has(self) -> None:
        text = "{{name}} {{shoe_size}} {{Name}} {{city}}"

        assert merge_fields.unknown_fields(text, [*merge_fields.BUILT_IN, "city"]) == ["shoe_size", "Name"]

    def test_parts_alternate_between_words_and_fields(self) -> None:
        assert parse("Hi {{name|you}}.").parts == ("Hi ", Field("name", "you"), ".")

    @given(names)
    @without_deadline
    def test_a_name_of_a_column_can_be_a_field(self, name: str) -> None:
        assert merge_fields.fields(f"{{{{{name}}}}}") == [name]

    @pytest.mark.parametrize("name", ["城市", "余额_2", "々城"])
    def test_a_name_may_be_chinese(self, name: str) -> None:
        assert merge_fields.fields(f"在{{{{{name}|本地}}}}。") == [name]


class MistakeTests:
    @pytest.mark.parametrize(
        ("text", "place", "reason"),
        [
            ("Hi {{", 4, "not closed"),
            ("Hi {{name", 4, "not closed"),
            ("Hi {{name}", 4, "not closed"),
            ("Hi {{name} and {{city}}", 4, "not closed"),
            ("Hi {{{{name}}", 4, "not closed"),
            ("Hi {{}}", 4, "without a name"),
            ("Hi {{ }}", 4, "without a name"),
            ("Hi {{|friend}}", 4, "without a name"),
            ("Hi {{first name}}", 4, "a name has letters"),
            ("Hi {{first-name}}", 4, "a name has letters"),
            ("Hi {{1st}}", 4, "a name has letters"),
            ("你好 {{城市。}}", 4, "a name has letters"),
            ("Hi {{prénom}}", 4, "a name has letters"),
            ("Hi {{" + "n" * 41 + "}}", 4, "at most 40"),
            ("Hi {{name|a{b}}", 4, "has no braces"),
            ("Hi name}}", 8, "closes no merge field"),
            ("{{name}}}}", 9, "closes no merge field"),
            ("{{name}} and {{city", 14, "not closed"),
            ("a}} {{", 2, "closes no merge field"),
            ("a {{ b }} c }}", 13, "closes no merge field"),
        ],
    )
    def test_the_sentence_names_place_and_reason(self, text: str, place: int, reason: str) -> None:
        with pytest.raises(MergeError, match=re.escape(reason)) as raised:
            parse(text)

        assert f"“{text[place - 1 : place + 19]}” at character {place} " in str(raised.value)
        assert str(raised.value).endswith(".")

    @pytest.mark.parametrize("text", ["{{", "{{}}", "{{a b}}", "a}}", "{{a|{}}"])
    def test_the_sentence_shows_braces_as_one_types_them(self, text: str) -> None:
        with pytest.raises(MergeError) as raised:
            parse(text)

        advice = str(raised.value).partition(" at character ")[2]
        assert "{{{" not in advice
        assert "}}}" not in advice

    @given(st.text(st.sampled_from("{}|a1 _é"), max_size=14))
    @without_deadline
    def test_a_text_is_read_to_the_end_or_refused(self, text: str) -> None:
        try:
            parts = parse(text).parts
        except MergeError:
            assert "{{" in text or "}}" in text
            return

        words = [part for part in parts if isinstance(part, str)]
        assert not any("{{" in word or "}}" in word for word in words)
        assert "".join(words) == re.sub(merge_fields.FIELD, "", text)
