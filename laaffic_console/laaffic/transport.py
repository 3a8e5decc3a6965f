"""HTTP with pooled connections and no second try of its own, and the line between "not sent" and "unknown"."""

import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, Retry, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)

from laaffic_console.laaffic import codes, envelope, signing
from laaffic_console.laaffic.codes import Family, Remedy
from laaffic_console.laaffic.envelope import Envelope
from laaffic_console.laaffic.errors import NotSent, OutcomeUnknown, Refused

DEFAULT_BASE_URL = "https://api.laaffic.com/v3"
DEFAULT_TIMEOUTS = (10.0, 30.0)  # connect, read; seconds
TOO_MANY = 429
LONGEST_RETRY_AFTER = 300.0  # seconds; a campaign that waits longer looks as if it had been forgotten

# What can only happen before a byte of the request is written.
_BEFORE_SENDING = (NewConnectionError, NameResolutionError, ConnectTimeoutError)
NO_SECOND_TRY = Retry(0, read=False)
HOSTS = len(Family) + 1  # each family may have its own: no pool that is known here is closed for another
_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    LocationValueError,
)


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    content: bytes


class _Address(NamedTuple):
    """What one address needs of `requests`, asked for once in a thread."""

    pool: HTTPConnectionPool
    target: str
    headers: dict[str, str]


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

    def get(self, family: Family, path: str, params: Mapping[str, str]) -> Envelope:
        return self._call(family, path, params=params)

    def post(self, family: Family, path: str, body: bytes) -> Envelope:
        return self._call(family, path, body=body)

    def _call(
        self,
        family: Family,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Envelope:
        """One request; a second only after "timestamp expired", which says that the first changed nothing."""
        try:
            return self._once(family, path, params, body)
        except Refused as refusal:
            if refusal.calls_for is not Remedy.RESIGN or not self._corrected_clock:
                raise
            return self._once(family, path, params, body)

    @property
    def _corrected_clock(self) -> bool:
        """Whether the last answer said what time the gateway has."""
        skew: float | None = getattr(self._local, "skew", None)
        if skew is None:
            return False
        self.clock_skew = skew
        return True

    def _once(self, family: Family, path: str, params: Mapping[str, str] | None, body: bytes | None) -> Envelope:
        interface = path.lstrip("/")
        signed = signing.headers(self._api_key, self._api_secret, self._clock() + self.clock_skew)
        try:
            if body is None:
                answer = self._get(self._url(family, path), params or {}, signed)
            else:
                answer = self._post(self._url(family, path), body, signed)
        except (requests.RequestException, HTTPError, OSError) as problem:
            raise _transport_error(interface, problem) from None
        return self._read(family, interface, answer)

    def _get(self, url: str, params: Mapping[str, str], signed: dict[str, str]) -> Answer:
        query = urlencode(params, quote_via=quote, safe=",") if params else None
        answer = self._session().request(
            "GET", url, params=query, headers=signed, timeout=self._timeouts, allow_redirects=False
        )
        return Answer(answer.status_code, answer.headers, answer.content)

    def _post(self, url: str, body: bytes, signed: dict[str, str]) -> Answer:
        """By the pool that `requests` stands on, without what it does for each request and each answer again.

        The same pool, with the same certificates, limits of time and no second try; that is a third of the time which a
        request takes here. The answer is read whole: what breaks off in the middle is an error of this request.
        """
        address = self._address(url, signed)
        connect, read = self._timeouts
        answer = address.pool.urlopen(
            "POST",
            address.target,
            body=body,
            headers={**address.headers, **signed},
            redirect=False,
            assert_same_host=False,
            retries=NO_SECOND_TRY,
            timeout=Timeout(connect=connect, read=read),
        )
        return Answer(answer.status, answer.headers, answer.data)

    def _address(self, url: str, signed: dict[str, str]) -> _Address:
        """What requests makes of an address and of headers; it refuses what no header can hold."""
        made: dict[str, _Address] = self._local.__dict__.setdefault("addresses", {})
        if url not in made:
            session = self._session()
            prepared = session.prepare_request(requests.Request("POST", url, headers=signed))
            adapter: Any = session.get_adapter(url)
            pool = adapter.get_connection_with_tls_context(prepared, verify=True)
            adapter.cert_verify(pool, url, verify=True, cert=None)
            headers = {name: value for name, value in prepared.headers.items() if name != "Content-Length"}
            made[url] = _Address(pool, adapter.request_url(prepared, None), headers)
        return made[url]

    def _url(self, family: Family, path: str) -> str:
        """A family's prefix is a setting: brands and ages of the platform differ (laaffic-api#addresses)."""
        prefix = self._paths.get(family.value, "")
        return (prefix.rstrip("/") if "://" in prefix else f"{self._base_url}{prefix.rstrip('/')}") + path

    def _read(self, family: Family, interface: str, answer: Answer) -> Envelope:
        self._local.skew = skew = _skew(answer, self._clock())
        if skew is not None:
            self.observed_skew = skew
        parsed = envelope.parse(answer.content)
        http = answer.status
        is_laaffics = parsed is not None and parsed.is_laaffics(http)
        if not is_laaffics and (turned_away := _turned_away(answer, interface, self._clock())):
            raise turned_away
        if http >= 500 or parsed is None or not is_laaffics or (300 <= http < 400):
            excerpt = _excerpt(answer)
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
            adapter = HTTPAdapter(pool_connections=HOSTS, pool_maxsize=self._pool_size, max_retries=0)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            self._local.session = session
        return session


def _turned_away(answer: Answer, interface: str, now: float) -> Refused | None:
    """What a proxy refused; None where the request may have reached Laaffic all the same.

    429 says so whatever stands below it. Of the other pages that are not JSON nobody knows who wrote them, and when.
    """
    http = answer.status
    entry = codes.foreign(http)
    if entry is None or not (http == TOO_MANY or envelope.is_object(answer.content)):
        return None
    wait = _retry_after(answer, now)
    return Refused(interface=interface, entry=entry, reason=_excerpt(answer), http_status=http, retry_after=wait)


def _excerpt(answer: Answer) -> str:
    return answer.content[:200].decode(errors="replace")


def _retry_after(answer: Answer, now: float) -> float:
    """Seconds that the answer asks us to wait, as a number or a date (RFC 9110 §10.2.3); 0 where it does not."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdecimal():
        return min(float(said[:9]), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(said).timestamp()
    except (TypeError, ValueError, OverflowError):
        return 0.0
    # By the clock of whoever wrote it, where the answer says what time that is.
    return min(max(0.0, moment - now - (_skew(answer, now) or 0.0)), LONGEST_RETRY_AFTER)


def _transport_error(interface: str, problem: Exception) -> NotSent | OutcomeUnknown:
    """Not sent when it is certain; unknown for everything else, a reset before the answer included."""
    if isinstance(problem, _NO_ADDRESS):
        return NotSent("LAAFFIC_BASE_URL is not an address", interface=interface)
    if isinstance(problem, requests.exceptions.InvalidHeader):
        return NotSent("LAAFFIC_API_KEY holds what no header can", interface=interface)
    cause = _root(problem)
    if isinstance(cause, _BEFORE_SENDING) or _is_handshake(cause):
        return NotSent(_in_words(cause), interface=interface)
    return OutcomeUnknown(_in_words(cause), interface=interface)


def _root(problem: Exception) -> BaseException:
    """What happened, as urllib3 names it: requests wraps it, and urllib3 where a limit of tries was reached."""
    wrapped = isinstance(problem, requests.RequestException) and problem.args
    inner: BaseException = problem.args[0] if wrapped and isinstance(problem.args[0], BaseException) else problem
    if isinstance(inner, MaxRetryError) and inner.reason is not None:
        return inner.reason
    return inner


def _is_handshake(cause: BaseException) -> bool:
    """A TLS error before the request names the handshake; a broken record in the answer does not."""
    if not isinstance(cause, SSLError):
        return False
    said = str(cause).lower()
    return any(word in said for word in ("certificate", "handshake", "wrong version", "unknown protocol", "hostname"))


def _in_words(cause: BaseException) -> str:
    """Without the request's address: a GET's query holds numbers and contents."""
    words = {
        NameResolutionError: "the gateway's name cannot be resolved",
        NewConnectionError: "the connection was refused",
        ConnectTimeoutError: "no connection within the time limit",  # the class above is one of these
        SSLError: "the TLS handshake failed",
    }
    for kind, text in words.items():
        if isinstance(cause, kind):
            return text
    name = type(cause).__name__
    if "Timeout" in name:
        return "no answer within the time limit"
    return (
        f"the connection broke before the answer ({name})" if isinstance(cause, HTTPError) else f"broken off ({name})"
    )


def _skew(answer: Answer, now: float) -> float | None:
    date: Any = answer.headers.get("Date")
    try:
        return parsedate_to_datetime(date).timestamp() - now if date else None
    except (TypeError, ValueError):
        return None
