"""The sentence for a refusal says what happens next, and promises nothing that does not."""

import pytest

from laaffic_console.gateway.services.client import code_words
from laaffic_console.laaffic import Family, Refused, lookup
from laaffic_console.laaffic.codes import foreign

REPEATED_OR_DIVIDED = ["-7", "-9", "-15", "-27", "-28", "HTTP 429", "HTTP 413"]


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("code", REPEATED_OR_DIVIDED)
def test_nobody_is_promised_a_repetition_that_nothing_makes(family: Family, code: str) -> None:
    """A call, a binding or the cancelling of a task has one request; only campaigns repeat and divide theirs."""
    entry = foreign(int(code.removeprefix("HTTP "))) if code.startswith("HTTP") else lookup(family, code)
    assert entry is not None
    refusal = Refused(interface="x", entry=entry, reason="", http_status=200)

    for sentence in (code_words.refused_before(family, code, ""), code_words.said(refusal)):
        assert "The console" not in sentence


@pytest.mark.parametrize("code", REPEATED_OR_DIVIDED[:5])
def test_a_campaign_says_that_it_goes_on_by_itself(code: str) -> None:
    refusal = Refused(interface="x", entry=lookup(Family.SMS, code), reason="", http_status=200)

    assert "The console" in code_words.refused(refusal, repeats=True)
