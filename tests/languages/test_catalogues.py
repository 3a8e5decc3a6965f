"""scripts/check_languages.py, which `make check` runs, finds a text that is not marked, gathered or translated."""

import ast
import importlib.util
from typing import Any

import pytest
from babel.messages.catalog import Catalog

from laaffic_console.conf import BASE_DIR

SCRIPTS = BASE_DIR / "scripts"


def script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = script("check_languages")


class UnmarkedTests:
    @pytest.mark.parametrize(
        "template",
        [
            "<p>Send it</p>",
            '<input placeholder="Find a name">',
            "{% if x %}Send{% endif %}",
            "<p>{% translate 'Send' %} it</p>",
        ],
    )
    def test_in_a_template(self, template: str) -> None:
        assert check.unmarked(template)

    @pytest.mark.parametrize(
        "template",
        [
            "<p>{% translate 'Send it' %}</p>",
            "{% blocktranslate %}Send {{ n }} to <b>them</b>{% endblocktranslate %}",
            "{# Send it #}{% comment %}Send it{% endcomment %}",
            '<span class="material-symbols-outlined">search</span>',
            "<script>const said = 'Send it';</script>",
            "<p>SMS, CSV</p>",
        ],
    )
    def test_marked_or_no_text(self, template: str) -> None:
        assert not check.unmarked(template)

    def test_in_a_script(self) -> None:
        assert check.unmarked_in_script('box.textContent = "Nothing was sent.";') == ["Nothing was sent."]
        assert not check.unmarked_in_script('say(box.dataset.lost || "Connection lost");')


class GatheredTests:
    def test_each_way_of_marking(self) -> None:
        template_tags = """{{ state|yesno:_("j,k") }}"""
        source = ast.parse("""_("a"); ngettext("b", "c", 2); pgettext_lazy("state", "d"); other("e"); _(name)""")
        template = """{% translate "f" context "g" %}{% blocktranslate trimmed count n=n %}
            {{ n }} %
            h{% plural %}i{% endblocktranslate %}"""
        assert [*check.marked(source), *check.marked_in_template(template + template_tags)] == [
            "a",
            "b",
            "c",
            "d",
            "f",
            "j,k",
            "%(n)s %% h",
            "i",
        ]

    def test_what_xgettext_does_not_see(self) -> None:
        assert list(check.hidden(ast.parse("""f"{_('a')} b" """))) == [1]


class TranslationTests:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("Send it", ""),
            ("%(n)s sent", "已发送"),
            ("sent", "已发送 %(n)s"),
            ("<b>sent</b>", "已发送"),
            ("{n} left", "剩余"),
            (("%(n)s of %(all)s", "%(n)s of %(all)s"), ("%(all)s",)),
        ],
    )
    def test_missing_or_losing_a_part(self, text: Any, said: Any) -> None:
        catalogue = Catalog("zh_Hans_CN", header_comment="")
        catalogue.add(text, said)
        assert list(check.problems_of(catalogue))

    def test_fuzzy(self) -> None:
        catalogue = Catalog("zh_Hans_CN")
        catalogue.add("Send", "发送", flags=["fuzzy"])
        assert list(check.problems_of(catalogue)) == ["fuzzy: Send"]

    def test_a_singular_may_name_no_number(self) -> None:
        catalogue = Catalog("zh_Hans_CN")
        catalogue.add(("One mail", "%(n)s mails"), ("%(n)s 封邮件",))
        assert not list(check.problems_of(catalogue))
