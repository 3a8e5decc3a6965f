"""Bindings, pools and rented numbers as the gateway handles them."""

import datetime as dt
import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from laaffic_console.sandbox.families import Door, FamilyOfInterfaces, Gateway, Route, count_of, texts_of
from laaffic_console.sandbox.fates import country_of
from laaffic_console.sandbox.parameters import integer, page_of, text
from laaffic_console.sandbox.protocol import REASONS, Refusal, check_application, success
from laaffic_console.sandbox.store import ZONE

THREE_DAYS = 259_200
FIRST_BINDING = 1234
EDITED = {"outIp": 50, "inIp": 50, "inboundPrefix": 32, "remark": 50, "appId": 64}


@dataclass(slots=True)
class Bound:
    bind_id: int
    app_id: str
    phone_a: str
    phone_b: str
    number_a: str
    number_b: str
    expires: float

    def as_record(self, epoch: bool) -> dict[str, Any]:
        at = dt.datetime.fromtimestamp(self.expires, ZONE)
        return {
            "bindId": self.bind_id,
            "phoneA": self.phone_a,
            "phoneB": self.phone_b,
            "pnsNumberA": self.number_a,
            "pnsNumberB": self.number_b,
            "expireTime": str(int(self.expires)) if epoch else at.strftime("%Y-%m-%d %H:%M:%S"),
        }


@dataclass(slots=True)
class Pool:
    number: str
    whitelist: str
    concurrency: int
    numbers: list[str]
    changes: list[str] = field(default_factory=list)

    def as_record(self) -> dict[str, Any]:
        return {
            "poolNumber": self.number,
            "customerWhitelist": self.whitelist,
            "maxConcurrency": self.concurrency,
            "numberList": list(self.numbers),
        }


class NumberInterfaces(FamilyOfInterfaces):
    reasons = REASONS | {
        "-20": "Data already exists",
        "-24": "Data does not exist",
        "-35": "Number A or B is already bound",
        "-41": "No middle number is available",
    }

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self.forget()

    def forget(self) -> None:
        self.bindings: dict[int, Bound] = {}
        self.edited: dict[str, dict[str, Any]] = {}  # number → its changed fields
        self._ids = itertools.count(FIRST_BINDING)
        self._voicemail_files = itertools.count(1)
        self.pools = {pool.number: pool for pool in first_pools()}
        self._add(self.options.bindings, "", None)

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/number/pns/bind", self.bind, acts=True),
            Route("POST", "/number/pns/unbind", self.unbind, acts=True),
            Route("POST", "/number/pns/queryBindPage", self.query_bindings),
            Route("POST", "/number/createNumberPool", self.create_pool, acts=True),
            Route("POST", "/number/editNumberPool", self.edit_pool, acts=True),
            Route("POST", "/number/queryNumberPool", self.query_pools),
            Route("POST", "/number/queryPage", self.query_owned),
            Route("POST", "/number/edit", self.edit_owned, acts=True),
        ]

    def doors(self) -> list[tuple[str, str, Door]]:
        return [
            ("POST", "/bindings/add", self._door_add),
            ("POST", "/bindings/vanish", self._door_vanish),
            ("POST", "/pools/drift", self._door_drift),
        ]

    # bindings

    def bind(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        app_id = text(given, "appId")
        check_application(app_id, "number", self.options)
        a, b = digits(given, "phoneA", 1, 20), digits(given, "phoneB", 4, 20)
        seconds = integer(given, "expireS", 1, THREE_DAYS)
        kind = integer(given, "bizType", 1, 2)
        pool = self._pool(text(given, "poolNumber"))
        if country_of(a) is not country_of(b):
            raise Refusal("-22", "phoneA and phoneB are not of the same country")
        live = self._live(now)
        if any(bound.phone_a in (a, b) or bound.phone_b in (a, b) for bound in live):
            raise Refusal("-35")
        taken = {number for bound in live for number in (bound.number_a, bound.number_b)}
        free = [number for number in pool.numbers if number not in taken]
        if len(free) < kind:
            raise Refusal("-41")
        bound = Bound(next(self._ids), app_id, a, b, free[0], free[kind - 1], self.gateway.aged(now) + seconds)
        self.bindings[bound.bind_id] = bound
        data = {"pnsNumberA": bound.number_a, "pnsNumberB": bound.number_b, "bindId": bound.bind_id}
        return success(self.options, data=data)

    def unbind(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        check_application(text(given, "appId"), "number", self.options)
        bind_id = text(given, "bindId")
        if not bind_id:
            raise Refusal("-22", "bindId is empty")
        bound = next((bound for bound in self._live(now) if str(bound.bind_id) == bind_id), None)
        if bound is None:
            raise Refusal("-24")
        del self.bindings[bound.bind_id]
        return success(self.options, data=None)

    def query_bindings(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        params = given.get("params")
        if not isinstance(params, dict):
            raise Refusal("-22", "params is empty")
        app_id = text(params, "appId")
        if app_id:
            check_application(app_id, "number", self.options)
        found = [bound for bound in self._live(now) if not (app_id and bound.app_id) or bound.app_id == app_id]
        rows = [bound.as_record(self.options.expire_time == "epoch") for bound in found]
        return success(self.options, data=page_of(rows, given))

    def _live(self, now: float) -> list[Bound]:
        """The bindings that have not expired; the others are gone for good, as at Laaffic."""
        at = self.gateway.aged(now)
        self.bindings = {bind_id: bound for bind_id, bound in self.bindings.items() if bound.expires > at}
        return list(self.bindings.values())

    def _add(self, count: int, app_id: str, expires: float | None) -> list[int]:
        """Add bindings that nobody asked for here; without an appId every application sees them."""
        made = []
        for _ in range(count):
            bind_id = next(self._ids)
            ends = (
                expires
                if expires is not None
                else dt.datetime.now(dt.UTC).timestamp() + 3600 + bind_id * 48_271 % 250_000
            )
            phone_a, phone_b, number_a, number_b = (
                f"9150{tail}{bind_id % 1_000_000:06d}" for tail in ("27", "28", "22", "23")
            )
            self.bindings[bind_id] = Bound(bind_id, app_id, phone_a, phone_b, number_a, number_b, ends)
            made.append(bind_id)
        return made

    def _door_add(self, given: dict[str, Any]) -> dict[str, Any]:
        count = count_of(given, "count", 1, 1, 10_000)
        seconds = count_of(given, "expires_in", 3600, 1, THREE_DAYS)
        app_id = given.get("app_id", "")
        if not isinstance(app_id, str):
            raise ValueError("app_id is a text")
        ends = self.gateway.aged(dt.datetime.now(dt.UTC).timestamp() + self.options.clock_offset) + seconds
        return {"bind_ids": [str(bind_id) for bind_id in self._add(count, app_id, ends)]}

    def _door_vanish(self, given: dict[str, Any]) -> dict[str, Any]:
        """Remove bindings as if somebody else had: those that are named, or the oldest."""
        named = texts_of(given, "bind_ids")
        unknown = [bind_id for bind_id in named if bind_id not in map(str, self.bindings)]
        if unknown:
            raise ValueError(f"no binding {unknown[0]}")
        gone = named or [str(bind_id) for bind_id in list(self.bindings)[: count_of(given, "count", 1, 1, 10_000)]]
        for bind_id in gone:
            self.bindings.pop(int(bind_id), None)
        return {"vanished": gone}

    # pools

    def create_pool(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        pool = checked_pool(given)
        if pool.number in self.pools:
            raise Refusal("-20")
        pool.changes.append("created")
        self.pools[pool.number] = pool
        return success(self.options, data=None)

    def edit_pool(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        held = self.pools.get(text(given, "oldPoolNumber") or text(given, "poolNumber"))
        wanted = checked_pool(given, held)
        old_number = text(given, "oldPoolNumber")
        if not old_number:
            if self.options.strict_pools:
                raise Refusal("-22", "oldPoolNumber is empty")
            old_number = wanted.number
        old = self._pool(old_number)
        if wanted.number != old_number and wanted.number in self.pools:
            raise Refusal("-20")
        if given.get("numberList") is None:
            wanted.numbers = old.numbers
        wanted.changes = [*old.changes, "edited"]
        self.pools = {wanted.number if number == old_number else number: pool for number, pool in self.pools.items()}
        self.pools[wanted.number] = wanted
        return success(self.options, data=None)

    def query_pools(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        return success(self.options, data=page_of([pool.as_record() for pool in self.pools.values()], given))

    def _pool(self, number: str) -> Pool:
        if number not in self.pools:
            raise Refusal("-24")
        return self.pools[number]

    def _door_drift(self, given: dict[str, Any]) -> dict[str, Any]:
        """Change a pool as if somebody had at Laaffic; by default one number goes and one call fewer may run."""
        number = given.get("pool_number", next(iter(self.pools)))
        if not isinstance(number, str) or number not in self.pools:
            raise ValueError(f"no pool {number}; there are: {', '.join(self.pools)}")
        pool = self.pools[number]
        told = any(name in given for name in ("numbers", "whitelist", "max_concurrency"))
        numbers = texts_of(given, "numbers") if "numbers" in given else pool.numbers[: None if told else -1]
        whitelist = given.get("whitelist", pool.whitelist)
        if not isinstance(whitelist, str):
            raise ValueError("whitelist is a text with commas")
        lower = pool.concurrency if told else max(pool.concurrency - 1, 0)
        pool.concurrency = count_of(given, "max_concurrency", lower, 0, 9999)
        pool.numbers, pool.whitelist = numbers, whitelist
        pool.changes.append("drifted")
        return pool.as_record()

    # rented numbers

    def query_owned(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        today = dt.datetime.fromtimestamp(self.gateway.aged(now), ZONE).date()
        started = dt.datetime.fromtimestamp(now, ZONE).date()
        rows = [owned_number(index, started, today) for index in range(self.options.owned_numbers)]
        return success(self.options, data=page_of([row | self.edited.get(row["number"], {}) for row in rows], given))

    def edit_owned(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        number, today = text(given, "number"), dt.datetime.fromtimestamp(now, ZONE).date()
        if number not in {owned_number(index, today, today)["number"] for index in range(self.options.owned_numbers)}:
            raise Refusal("-24")
        texts = {name: text(given, name) for name in EDITED if name in given}
        if any(len(texts.get(name, "")) > longest for name, longest in EDITED.items()):
            raise Refusal("-22", "a text is too long")
        changed: dict[str, Any] = {**texts}
        if "enableVoicemail" in given:
            changed["enableVoicemail"] = given["enableVoicemail"] in (True, 1, "true", "1")
        if given.get("voicemailMaxHangup") is not None:
            changed["voicemailMaxHangup"] = integer(given, "voicemailMaxHangup", 1, 999)
        if given.get("voicemailFile"):
            changed["voicemailFileName"] = text(given, "voicemailFileName")
            changed["voicemailFileId"] = f"vm{next(self._voicemail_files)}"
        self.edited[number] = self.edited.get(number, {}) | changed
        return success(self.options, data=None)

    def received(self, now: float) -> dict[str, list[dict[str, Any]]]:
        pools = [
            {
                "pool": pool.number,
                "addresses": pool.whitelist,
                "calls at once": pool.concurrency,
                "numbers": len(pool.numbers),
                "changes": ", ".join(pool.changes[-5:]),
            }
            for pool in self.pools.values()
        ]
        return {
            "Bindings": [bound.as_record(epoch=False) for bound in reversed(self._live(now)[-100:])],
            "Number pools": pools,
        }


def first_pools() -> list[Pool]:
    """The pool of the vendor's sample, and one that is large enough to bind from."""
    return [
        Pool("918885", "192.168.10.17,192.168.10.18", 99, ["9178605501", "9178605502"]),
        Pool("442000", "203.0.113.7", 30, [str(442079460000 + index) for index in range(40)]),
    ]


def checked_pool(given: dict[str, Any], held: Pool | None = None) -> Pool:
    """The pool, if it is in order. Whatever it holds already is, in whatever form it came to be there."""
    number, whitelist = text(given, "poolNumber"), text(given, "customerWhitelist")
    if not 1 <= len(number) <= 20:
        raise Refusal("-22", "poolNumber has 1 to 20 characters")
    kept = (held.whitelist, *held.numbers) if held else ()
    if whitelist not in kept and not re.fullmatch(r"[A-Za-z0-9,.]{1,200}", whitelist):
        raise Refusal("-22", "customerWhitelist has 1 to 200 letters, digits, commas and points")
    numbers = given.get("numberList")
    if numbers is not None and not (isinstance(numbers, list) and all(isinstance(entry, str) for entry in numbers)):
        raise Refusal("-22", "numberList is not a list of texts")
    if any(entry not in kept and not re.fullmatch(r"[0-9]{7,15}", entry) for entry in numbers or []):
        raise Refusal("-22", "numberList holds what is not a number")
    return Pool(number, whitelist, integer(given, "maxConcurrency", 0, 9999), list(numbers or []))


def digits(given: dict[str, Any], name: str, shortest: int, longest: int) -> str:
    number = text(given, name)
    if not re.fullmatch(r"[0-9]+", number) or not shortest <= len(number) <= longest:
        raise Refusal("-22", f"{name} has {shortest} to {longest} digits")
    return number


def owned_number(index: int, started: dt.date, today: dt.date) -> dict[str, Any]:
    """A rented number, due on days spread around the start: some long past, some soon, some in months."""
    due = started + dt.timedelta(days=index * 29 % 240 - 20)
    state = 5 if index % 11 == 10 else 4 if due < today else 3
    calling_code, country = (("91", "India"), ("44", "United Kingdom"), ("1", "United States"))[index % 3]
    return {
        "number": f"{calling_code}{7860550100 + index}",
        "ccode": calling_code,
        "country": country,
        "dueDate": due.isoformat(),
        "state": state,
        "inboundPrefix": "",
        "type": "MOBILE" if index % 2 else "FIXED",
        "autoRenew": index % 4 == 0,
        "outIp": "192.168.10.17",
        "inIp": "",
        "remark": "Support line" if index == 0 else "",
        "appId": "",
        "enableVoicemail": index % 5 == 0,
        "voicemailFileId": None,
        "voicemailFileName": None,
        "voicemailMaxHangup": 60 if index % 5 == 0 else None,
    }
