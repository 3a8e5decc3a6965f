"""HTTP with pooled connections and no second try of its own, and the line between "not sent" and "unknown"."""

import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)

from laaffic_console.laaffic import answer_limits, codes, envelope, signing
from laaffic_console.laaffic.codes import Family, Remedy
from laaffic_console.laaffic.envelope import Envelope
from laaffic_console.laaffic.errors import NotSent, OutcomeUnknown, Refused
from laaffic_console.laaffic.handshakes import Adapter, HandshakeFailed

DEFAULT_BASE_URL = "https://api.laaffic.com/v3"
DEFAULT_TIMEOUTS = (10.0, 30.0)  # connect, read; seconds
LONG_LISTS_LAST = 3  # times as long as another answer
SIGNS_AGAIN_WITHIN = 5.0  # seconds after the first request: a caller that waits for its answer need not know of it
TOO_MANY = 429
LONGEST_RETRY_AFTER = 300.0  # seconds; a campaign that waits longer looks as if it had been forgotten

# What can only happen before a byte of the request is written.
_BEFORE_SENDING = (NewConnectionError, NameResolutionError, ConnectTimeoutError)
_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)


class Transport:
    """Signs, sends, and sorts what comes back into an envelope or one of the three outcomes."""

    def __init__(
        self,
        *,
        api_key: str,
        api_secret: str,
        base_url: str = DEFAULT_BASE_URL,
        paths: Mapping[str, str] | None = None,
        timeouts: tuple[float, float] = DEFAULT_TIMEOUTS,
        pool_size: int = 10,
        clock: Callable[[], float] = time.time,
        session: requests.Session | None = None,
    ) -> None:
        self._api_key = api_key
        self._api_secret = api_secret
        self._base_url = base_url.rstrip("/")
        self._paths = dict(paths or {})
        self._timeouts = timeouts
        self._pool_size = pool_size
        self._clock = clock
        self._given_session = session
        self._local = threading.local()
        self.clock_skew = 0.0  # seconds that the gateway's clock is ahead of ours, as signatures allow for
        self.observed_skew: float | None = None  # the same, as the latest answer's Date says

    def __repr__(self) -> str:
        return f"Transport(base_url={self._base_url!r}, api_key={self._api_key[:2]}…)"

    def get(self, family: Family, path: str, params: Mapping[str, str], *, is_long: bool = False) -> Envelope:
        """`is_long`: a list of many thousand rows, which may come slowly."""
        return self._call(family, path, params=params, is_long=is_long)

    def post(self, family: Family, path: str, body: bytes) -> Envelope:
        return self._call(family, path, body=body)

    def _call(
        self,
        family: Family,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        is_long: bool = False,
    ) -> Envelope:
        """One request; a second only after "timestamp expired", which says that the first changed nothing.

        A refusal that came late ends it: the second would leave when its caller no longer expects it.
        """
        began = time.monotonic()
        try:
            return self._once(family, path, params, body, is_long)
        except Refused as refusal:
            if refusal.calls_for is not Remedy.RESIGN or not self._corrected_clock:
                raise
            if time.monotonic() - began > SIGNS_AGAIN_WITHIN:
                raise
            return self._once(family, path, params, body, is_long)

    @property
    def _corrected_clock(self) -> bool:
        """Whether the last answer said what time the gateway has."""
        skew: float | None = getattr(self._local, "skew", None)
        if skew is None:
            return False
        self.clock_skew = skew
        return True

    def _once(
        self, family: Family, path: str, params: Mapping[str, str] | None, body: bytes | None, is_long: bool
    ) -> Envelope:
        interface = path.lstrip("/")
        signed = self._signed(interface)
        lasts = sum(self._timeouts) * (LONG_LISTS_LAST if is_long else 1)
        try:
            with answer_limits.until(time.monotonic() + lasts):
                if body is None:
                    answer = self._get(self._url(family, path), params or {}, signed)
                else:
                    answer = self._post(self._url(family, path), body, signed)
                content = answer_limits.content(answer)  # what breaks off in the middle is an error of this request
        except requests.RequestException as problem:
            raise _transport_error(interface, problem) from None
        return self._read(family, interface, answer, content)

    def _signed(self, interface: str) -> dict[str, str]:
        """Signed headers. Bad characters are refused here: http.client would fail with an error that nobody foresaw."""
        try:
            self._api_key.encode("latin-1")
            return signing.headers(self._api_key, self._api_secret, self._clock() + self.clock_skew)
        except UnicodeEncodeError:  # which holds the key itself
            raise NotSent(
                "LAAFFIC_API_KEY or LAAFFIC_API_SECRET holds what no header can", interface=interface
            ) from None

    def _get(self, url: str, params: Mapping[str, str], signed: dict[str, str]) -> requests.Response:
        query = urlencode(params, quote_via=quote, safe=",") if params else None
        session = self._session()
        return session.request(
            "GET",
            url,
            params=query,
            headers=signed,
            timeout=self._timeouts,
            allow_redirects=False,
            stream=True,  # its body is read within limits
        )

    def _post(self, url: str, body: bytes, signed: dict[str, str]) -> requests.Response:
        """POST without what a session does again for each request: address and headers of an interface never change.

        That is a third of the time that a small request takes here.
        """
        session = self._session()
        prepared = self._prepared(session, url, signed)
        prepared.body = body
        prepared.headers.update(signed)
        prepared.headers["Content-Length"] = str(len(body))
        return session.get_adapter(url).send(prepared, timeout=self._timeouts, stream=True)

    def _prepared(self, session: requests.Session, url: str, signed: dict[str, str]) -> requests.PreparedRequest:
        """A copy of what requests has made of this address once in this thread; it refuses what no header can hold."""
        made: dict[str, requests.PreparedRequest] = self._local.__dict__.setdefault("prepared", {})
        if url not in made:
            made[url] = session.prepare_request(requests.Request("POST", url, data=b"", headers=signed))
        return made[url].copy()

    def _url(self, family: Family, path: str) -> str:
        """A family's prefix is a setting: brands and ages of the platform differ (laaffic-api#addresses)."""
        prefix = self._paths.get(family.value, "")
        return (prefix.rstrip("/") if "://" in prefix else f"{self._base_url}{prefix.rstrip('/')}") + path

    def _read(self, family: Family, interface: str, answer: requests.Response, content: bytes) -> Envelope:
        self._local.skew = skew = _skew(answer, self._clock())
        if skew is not None:
            self.observed_skew = skew
        parsed = envelope.parse(content)
        http = answer.status_code
        is_laaffics = parsed is not None and parsed.is_laaffics(http)
        if not is_laaffics and (turned_away := _turned_away(answer, content, interface, self._clock())):
            raise turned_away
        if http >= 500 or parsed is None or not is_laaffics or (300 <= http < 400):
            excerpt = _excerpt(content)
            what = "the gateway failed" if http >= 500 else "the answer is not the gateway's"
            raise OutcomeUnknown(what, interface=interface, http_status=http, excerpt=excerpt)
        if parsed.is_success:
            if http >= 400:
                raise OutcomeUnknown("success under an HTTP error", interface=interface, http_status=http)
            return parsed
        entry = codes.lookup(family, parsed.status)
        if entry.remedy is Remedy.UNCERTAIN:
            raise OutcomeUnknown(
                f"{entry.meaning} ({parsed.reason})", interface=interface, code=entry.code, http_status=http
            )
        wait = _retry_after(answer, self._clock())
        raise Refused(interface=interface, entry=entry, reason=parsed.reason[:200], http_status=http, retry_after=wait)

    def _session(self) -> requests.Session:
        """One session a thread: requests does not promise that a session may be shared."""
        if self._given_session is not None:
            return self._given_session
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False  # no proxy or netrc of the machine's between us and the gateway by surprise
            adapter = Adapter(pool_connections=2, pool_maxsize=self._pool_size, max_retries=0)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            self._local.session = session
        return session


def _turned_away(answer: requests.Response, content: bytes, interface: str, now: float) -> Refused | None:
    """The refusal of a proxy; None where the request may have reached Laaffic anyway.

    429 says so whatever is below it. Of the other pages that are not JSON nobody knows who wrote them, and when.
    """
    http = answer.status_code
    entry = codes.foreign(http)
    if entry is None or not (http == TOO_MANY or envelope.is_object(content)):
        return None
    wait = _retry_after(answer, now)
    return Refused(interface=interface, entry=entry, reason=_excerpt(content), http_status=http, retry_after=wait)


def _excerpt(content: bytes) -> str:
    return content[:200].decode(errors="replace")


def _retry_after(answer: requests.Response, now: float) -> float:
    """Seconds that the answer asks us to wait, as a number or a date (RFC 9110 §10.2.3); 0 where it does not."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdecimal():
        return min(float(said[:9]), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(said).timestamp()
    except (TypeError, ValueError, OverflowError):
        return 0.0
    # The date is by the clock of whatever wrote it; where the answer says its time, that is taken into account.
    return min(max(0.0, moment - now - (_skew(answer, now) or 0.0)), LONGEST_RETRY_AFTER)


def _transport_error(interface: str, problem: requests.RequestException) -> NotSent | OutcomeUnknown:
    """NotSent where that is certain; OutcomeUnknown for everything else, even a reset before the answer."""
    if isinstance(problem, _NO_ADDRESS):
        return NotSent("LAAFFIC_BASE_URL is not an address", interface=interface)
    if isinstance(problem, requests.exceptions.InvalidHeader):
        return NotSent("LAAFFIC_API_KEY holds what no header can", interface=interface)
    if isinstance(problem, answer_limits.TooLarge):
        return OutcomeUnknown(f"the answer has {problem}", interface=interface)
    cause = _root(problem)
    if isinstance(cause, _BEFORE_SENDING) or _is_handshake(cause):
        return NotSent(_in_words(cause), interface=interface)
    return OutcomeUnknown(_in_words(cause), interface=interface)


def _root(problem: requests.RequestException) -> BaseException:
    inner: BaseException = problem.args[0] if problem.args and isinstance(problem.args[0], BaseException) else problem
    if isinstance(inner, MaxRetryError) and inner.reason is not None:
        return inner.reason
    return inner


def _is_handshake(cause: BaseException) -> bool:
    return isinstance(cause, SSLError) and any(isinstance(part, HandshakeFailed) for part in cause.args)


def _in_words(cause: BaseException) -> str:
    """The cause in words, without the request's address: a GET's query holds numbers and contents."""
    words = {
        NameResolutionError: "the gateway's name cannot be resolved",
        NewConnectionError: "the connection was refused",
        ConnectTimeoutError: "no connection within the time limit",  # the class above is one of these
    }
    if _is_handshake(cause):
        return "the TLS handshake failed"
    for kind, text in words.items():
        if isinstance(cause, kind):
            return text
    name = type(cause).__name__
    if "Timeout" in name:
        return "no answer within the time limit"
    return (
        f"the connection broke before the answer ({name})" if isinstance(cause, HTTPError) else f"broken off ({name})"
    )


def _skew(answer: requests.Response, now: float) -> float | None:
    date: Any = answer.headers.get("Date")
    try:
        return parsedate_to_datetime(date).timestamp() - now if date else None
    except (TypeError, ValueError):
        return None
