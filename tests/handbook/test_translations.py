"""A translated text has what its English has, is of its present words, and is served to who reads its language."""

import importlib.util
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override
from markdown_it import MarkdownIt

from laaffic_console.conf import BASE_DIR
from laaffic_console.handbook import markdown, pages, searching
from laaffic_console.kit.registers import meanings

CHINESE = "zh_Hans"


def script() -> Any:
    spec = importlib.util.spec_from_file_location("docs_digests", BASE_DIR / "scripts" / "docs_digests.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


digests = script()
ALL = [pytest.param(path, id=path.relative_to(BASE_DIR).as_posix()) for path in digests.translated()]


def shape(text: str) -> dict[str, object]:
    """What a translation must not change: its blocks in order, listings word for word, tables cell by cell."""
    tokens = MarkdownIt("commonmark").enable("table").parse(pages.MADE_FROM.sub("", text))
    return {
        "blocks": [f"{token.tag}{token.nesting}" for token in tokens if token.type != "inline"],
        "listings": [token.content for token in tokens if token.type in ("fence", "code_block")],
    }


def leads_to(path: Path, text: str) -> Counter[str]:
    """Addresses of links and pictures: a sentence may have them in another order, and a picture is of the language."""
    tokens = markdown.read(pages.MADE_FROM.sub("", text))
    from_here = path.relative_to(BASE_DIR).as_posix()
    found: Counter[str] = Counter()
    markdown.relink(tokens, lambda href: found.update([pages.address_from(from_here, href) or href]) or href)
    return Counter({address.replace(f"-{CHINESE}.png", ".png"): n for address, n in found.items()})


def asterisks(text: str) -> int:
    """Marks that are shown as they are: between 。 and a letter a closing one is none, so 。 goes behind it."""
    tokens = markdown.read(pages.MADE_FROM.sub("", text))
    return sum(child.content.count("*") for token in tokens for child in token.children or [] if child.type == "text")


def code(text: str) -> Counter[str]:
    """Commands, settings and keys in a sentence stay what a machine reads."""
    tokens = markdown.read(pages.MADE_FROM.sub("", text))
    said = [child.content for token in tokens for child in token.children or [] if child.type == "code_inline"]
    return Counter(said)


@pytest.mark.parametrize("path", ALL)
def test_it_is_of_its_present_english(path: Path) -> None:
    assert digests.is_current(path), (
        f"{digests.english_of(path).name} was changed since it was translated. Bring {path.relative_to(BASE_DIR)} up "
        f"to it (git log -p docs/{path.name}), then: .venv/bin/python scripts/docs_digests.py --renew "
        f"{path.relative_to(BASE_DIR)} (CONTRIBUTING, Languages)"
    )


@pytest.mark.parametrize("path", ALL)
def test_it_has_the_headings_tables_and_listings_of_its_english(path: Path) -> None:
    assert shape(path.read_text()) == shape(digests.english_of(path).read_text())


@pytest.mark.parametrize("path", ALL)
def test_it_leads_where_its_english_does_and_names_the_same_commands(path: Path) -> None:
    english = digests.english_of(path)

    assert leads_to(path, path.read_text()) == leads_to(english, english.read_text())
    assert code(path.read_text()) == code(english.read_text())
    assert asterisks(path.read_text()) == asterisks(english.read_text())


def test_what_is_left_out_or_added_shows() -> None:
    whole = "# A\n\n- x `y`\n\n    listing\n"

    assert shape(whole) != shape("# A\n\n- x `y`\n- z\n\n    listing\n")
    assert shape(whole) != shape("## A\n\n- x `y`\n\n    listing\n")
    assert code(whole) != code("# A\n\n- x y\n")


def test_a_digest_is_of_the_english_and_renewed_at_the_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    english, chinese = tmp_path / "docs" / "a.md", tmp_path / "docs" / CHINESE / "a.md"
    (tmp_path / "laaffic_console" / "locale" / CHINESE).mkdir(parents=True)
    chinese.parent.mkdir(parents=True)
    english.write_text("# A\n")
    chinese.write_text("# 甲\n")
    monkeypatch.setattr(digests, "ROOT", tmp_path)
    monkeypatch.setattr(digests, "DOCS", tmp_path / "docs")

    assert not digests.is_current(chinese)
    digests.renew(chinese)
    assert digests.is_current(chinese)
    english.write_text("# B\n")
    assert [path for path in digests.translated() if not digests.is_current(path)] == [chinese]
    digests.renew(chinese)
    assert chinese.read_text().count("<!--") == 1
    assert chinese.read_text().endswith("-->\n\n# 甲\n")


@pytest.mark.parametrize("path", ALL)
def test_help_and_script_hold_it_for_a_translation_of_the_same_text(path: Path) -> None:
    below_its_language = Path(*path.relative_to(digests.DOCS).parts[1:]).as_posix()

    assert BASE_DIR / pages.english_of(below_its_language) == digests.english_of(path)
    assert digests.english_of(path).is_file()


def test_what_lies_beside_docs_is_translated_in_a_folder_of_its_own() -> None:
    assert pages.translations(CHINESE)["readme"] == "docs/zh_Hans/root/README.md"
    assert pages.translations(CHINESE)[pages.INDEX] == "docs/zh_Hans/README.md"
    assert f'href="{pages.address("settings", "running-it")}"' in pages.html("metrics", CHINESE)


@pytest.mark.parametrize("name", pages.translations(CHINESE))
def test_it_has_the_anchors_of_its_english_and_no_comment(name: str) -> None:
    assert name in pages.names()
    assert pages.anchors(name, CHINESE) == pages.anchors(name)
    assert "Made from" not in pages.html(name, CHINESE)
    assert 'href=""' not in pages.html(name, CHINESE)


def test_who_reads_chinese_gets_it(admin_client: Client) -> None:
    chinese = admin_client.get(pages.address("contacts"), headers={"accept-language": "zh-hans"}).content.decode()
    english = admin_client.get(pages.address("contacts"), headers={"accept-language": "en"}).content.decode()

    assert 'id="consent"' in chinese
    assert 'lang="zh-Hans"' in chinese
    assert "营销授权" in chinese
    assert "营销授权" not in english
    assert 'lang="zh-Hans"' not in english.partition("c-help-contents")[2]


def test_what_is_not_translated_is_shown_in_english_and_says_so(admin_client: Client) -> None:
    address = pages.address("mechanisms/ledger")

    for asked, is_said in (("zh-hans", True), ("en", False)):
        answer = admin_client.get(address, headers={"accept-language": asked})
        assert answer.context["is_missing"] is is_said
        assert ('<p class="c-soft c-help-missing">' in answer.content.decode()) is is_said
        assert '<article class="c-card c-help-text" lang="en"' in answer.content.decode()


def test_the_contents_are_in_the_readers_language() -> None:
    assert pages.groups(CHINESE)[0].title == "面向操作员"
    assert [[name for name, _title in group.pages] for group in pages.groups(CHINESE)] == [
        [name for name, _title in group.pages] for group in pages.groups()
    ]
    assert pages.groups("pt_BR") == pages.groups()


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("退订", "/admin/help/replies/#stop"),
        ("营销授权", "/admin/help/contacts/#consent"),
        ("LAAFFIC_DOUBLE_OPT_IN", "/admin/help/replies/#start"),
        ("START 禁发名单", "/admin/help/replies/#start"),
        ("CSV文件", "/admin/help/contacts/"),
        ("撤销导入", "/admin/help/contacts/#whom-an-import-brought-and-taking-it-back"),
        ("nginx", "/admin/help/installing/#under-systemd-behind-nginx"),
        ("djLint", "/admin/help/contributing/"),  # where only English says it
    ],
)
def test_chinese_is_found_where_it_stands(asked: str, leads_to: str) -> None:
    found = [hit.address for hit in searching.find(asked, CHINESE)]

    assert any(address.startswith(leads_to) for address in found[:5]), found[:5]


@pytest.mark.parametrize("asked", ["撤销龘导入", "龘退订", "退订龘", "龘"])
def test_each_character_has_to_stand_there(asked: str) -> None:
    assert searching.find(asked, CHINESE) == []


def test_a_search_is_in_one_language() -> None:
    assert searching.find("退订 禁发名单 短信") == []
    assert "zh-Hans" in {hit.language for hit in searching.find("退订", CHINESE)}


def test_chinese_words_are_marked_where_they_stand() -> None:
    text = "联系人退订后，号码会进入禁发名单 <b>，" * 30

    begins = re.compile("禁发名单|禁发|发名|名单")
    snippet = searching._marked(searching._cut(text, begins), begins)
    assert "<mark>禁发名单</mark>" in snippet
    assert "<b>" not in snippet
    assert len(snippet) < 600
    assert searching._marked("导出CSV文件", re.compile("csv", re.IGNORECASE)) == "导出<mark>CSV</mark>文件"


def test_each_state_says_in_chinese_what_the_console_says() -> None:
    with override("zh-hans"):
        text = (BASE_DIR / "docs" / CHINESE / "states.md").read_text()
        said = {
            str(meaning.says)
            for kind, words in meanings.everything().items()
            if kind not in ("code", "column")
            for meaning in words.values()
        }
    assert [sentence for sentence in sorted(said) if f"| {sentence} |" not in text] == []


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("群发任务\n已启动。", "<p>群发任务已启动。</p>"),
        ("- 号码，\n  *已退订*", "<li>号码，<em>已退订</em></li>"),
        ("群发任务\n\n已启动", "<p>群发任务</p>\n<p>已启动</p>"),
        ("以 CSV\n导出", "<p>以 CSV\n导出</p>"),
        ("in two\nlines", "<p>in two\nlines</p>"),
    ],
)
def test_the_end_of_a_line_is_no_blank_in_chinese(text: str, drawn: str) -> None:
    assert drawn in markdown.render(markdown.read(text))
