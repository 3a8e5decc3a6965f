"""Codes have names: by number they are known in `laaffic/codes.py` alone, and one module makes sentences of them."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from laaffic_console.gateway.services.client import code_words
from laaffic_console.laaffic import Family, Refused, codes
from laaffic_console.laaffic.codes import COMMON, EMAIL

ROOT = Path(__file__).resolve().parents[2]
OURS = ("laaffic_console", "messaging", "voice", "numbers")
# Statuses of a delivery and keys of a phone are not codes.
NO_CODES = {f"laaffic_console/laaffic/{module}.py": {"-1"} for module in ("call_records", "delivery_states")}
SAYING = "laaffic_console/gateway/services/client/code_words.py"


@cache
def strings() -> list[tuple[str, str]]:
    """(module, a text in it) for each of the console's own."""
    return [(name, text) for name, source in modules() for text in texts(ast.parse(source))]


def modules() -> Iterator[tuple[str, str]]:
    for folder in OURS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            name = str(file.relative_to(ROOT))
            if "/sandbox/" not in name and "/migrations/" not in name:
                yield name, file.read_text()


def texts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


class CodesNamedOnceTests:
    def test_no_code_is_written_as_a_number_elsewhere(self) -> None:
        found = {
            (name, text)
            for name, text in strings()
            if name != "laaffic_console/laaffic/codes.py"
            if re.fullmatch(r"[-−]\d{1,2}", text) and text not in NO_CODES.get(name, ())
        }

        assert not found, "name it in laaffic/codes.py"

    def test_one_module_makes_sentences_of_them(self) -> None:
        found = {
            name for name, text in strings() if name != SAYING and re.search(r"refuse[sd] with %\(code\)s: ", text)
        }

        assert not found, "code_words says it"

    def test_every_name_has_its_row(self) -> None:
        assert set(COMMON) == {code.value for code in codes.Code}
        assert set(EMAIL) == {code.value for code in codes.EmailCode}

    @pytest.mark.parametrize("family", Family)
    def test_every_sentence_fits_where_it_is_kept(self, family: Family) -> None:
        for code in EMAIL if family is Family.EMAIL else COMMON:
            entry = codes.lookup(family, code)
            refusal = Refused(interface="getBalance", entry=entry, reason="", http_status=200)

            for repeats, advice in ((True, entry.advice), (False, entry.advice_alone)):
                said = code_words.refused(refusal, repeats=repeats)

                assert said == f"Laaffic refused with {code}: {entry.meaning}. {advice}"
                assert len(said) <= 300

    def test_a_refusal_that_is_kept_says_what_a_proxy_said(self) -> None:
        said = code_words.refused_before(Family.VOICE, "HTTP 404", "")

        assert said.startswith("The answer was HTTP 404, and not Laaffic's: there is no such interface")
        assert "(“no such file”). " in code_words.refused_before(Family.VOICE, "-24", "no such file")
