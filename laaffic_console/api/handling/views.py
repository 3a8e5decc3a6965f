"""The base of every view of the API: who acts, repeated requests, pages of lists, ETags."""

import binascii
import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from laaffic_console.api import authentication
from laaffic_console.api.handling import field_words, files, idempotency, problems
from laaffic_console.api.handling import unread_keys as unknown
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.problems import Problem
from laaffic_console.kit.audit import acts
from laaffic_console.kit.audit.acts import Actor, acting
from laaffic_console.kit.masking import masks
from laaffic_console.kit.requests.bounded_body import declared_length
from laaffic_console.kit.requests.client_address import client_address
from laaffic_console.kit.words.plain_text import whole_number

MOST_ROWS, USUAL_ROWS = 1000, 100
LARGEST_ID = 2**63
WRITES = ("POST", "PATCH", "DELETE")
CHANGES = ("PATCH", "DELETE")  # of what the view's GET shows
Row = TypeVar("Row", bound=models.Model)


class ApiView(APIView):
    scopes: ClassVar[Mapping[str, str]] = {}  # {method: scope}
    rights: ClassVar[Mapping[str, Sequence[str]]] = {}  # {method: rights of the user}
    names: Mapping[str, str] = {}  # {a service's field: its name in requests}
    has_etag = False
    repeated: Answer | None = None  # the answer of an earlier request with this key
    takes_file = False  # as multipart/form-data of any length; what reads it says how large it may be

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Handle the request in English, which scripts read, and as an act of the token's user."""
        with translation.override("en"), acting(lambda: _actor(request)):
            return super().dispatch(request, *args, **kwargs)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self.has_etag and request.method in ("GET", "HEAD") and response.status_code == 200:
            tag, known = tag_of(response.data), _tags(request.META.get("HTTP_IF_NONE_MATCH", ""))
            if tag in known or "*" in known:
                response = Response(status=304)
            response["ETag"] = tag
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store" if not self.has_etag else "private, no-cache"
        return answer

    def read(self, serializer: type[serializers.Serializer], data: Any = None) -> dict[str, Any]:
        """The body's or the query's values, by the serializer; rest_framework's ValidationError says what is wrong."""
        if self.takes_file and data is None:
            files.require_each_once(self.request.data)
        form = serializer(data=self.request.data if data is None else data)
        vars(form)["fields"] = _fields_of(serializer)
        form.error_messages["invalid"] = field_words.OBJECT
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)

    def once(
        self, work: Callable[[], Answer], *, in_one: bool = True, before: Callable[[], None] | None = None
    ) -> Answer:
        """Do the work of this request; with an Idempotency-Key, only once. For steps of several transactions, which can
        be undone, there is `once_stepped`."""
        token, key, digest = self._asked()
        if not in_one:  # afterwards it would be too late: work of several transactions cannot be taken back
            authentication.require_still_good(token)

        def checked() -> Answer:
            self._require_match()
            answer = work()
            if in_one:
                authentication.require_still_good(token)
            return answer

        if key is None:
            return idempotency.unkeyed(checked, in_one=in_one, before=before)
        return self._told(idempotency.once(token.family, key, digest, checked, in_one=in_one, before=before))

    def once_sent(self, work: Callable[[], Answer], *, status: int) -> Answer:
        """Do work that asks something of Laaffic, outside any transaction; with an Idempotency-Key, only once."""
        token, key, digest = self._asked()
        authentication.require_still_good(token)
        if key is None:
            return work()
        return self._told(idempotency.once_sent(token.family, key, digest, work, status=status))

    def once_made(
        self, work: Callable[[], Answer], noting: idempotency.Noting, made: Callable[[int], Answer]
    ) -> Answer:
        """Do work of several transactions, one of which makes a row; with an Idempotency-Key, make it only once."""
        token, key, digest = self._asked()
        authentication.require_still_good(token)
        if key is None:
            return idempotency.unkeyed(work, in_one=False, before=None)
        return self._told(idempotency.once_made(token.family, key, digest, work, noting, made))

    def _told(self, answer: Answer) -> Answer:
        self.repeated = answer if answer.is_repeated else None
        return answer

    def handle_exception(self, exc: Exception) -> Any:
        """Repeat what a request made also when it was deleted since: 404 would say that it was never made."""
        answer = super().handle_exception(exc)
        if answer.status_code == 404 and self.repeated is not None:
            note = _("This was done, and what it is about was deleted since.")
            return Response({**self.repeated.body, "note": note}, self.repeated.status)
        return answer

    def once_stepped(self, work: Callable[[], Answer], stands: Callable[[], Answer]) -> Answer:
        """Take a step of several transactions, one of which records it; with an Idempotency-Key, take it only once.

        `stands`: the answer about how things are now. Repeated after a process has died behind the step, a request
        says that, and takes no step again: somebody may have undone it since.
        """

        def matched() -> Answer:
            self._require_match()
            return work()

        return self.once_made(matched, _step_noting, lambda _about: stands())

    def _asked(self) -> tuple[Any, str | None, str]:
        """The token's family, the key, and the digest of method, path and body."""
        key = idempotency.checked(self.request.META.get("HTTP_IDEMPOTENCY_KEY"))
        body = files.fingerprint(self.request) if self.takes_file else self.request._request.body
        return self.request.auth, key, idempotency.digest_of(self.request.method, self.request.get_full_path(), body)

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in WRITES:
            files.take_in_chunks(request._request, is_file=self.takes_file)
        if request.method in WRITES and not self.takes_file:
            body = request._request.body  # kept whole for the digest, before it is parsed
            if len(body) < declared_length(request._request):
                raise Problem(400, _("The body ends before its Content-Length. Send the request again, whole."))
        if hasattr(self, request.method.lower()):  # otherwise it is answered 405, whatever it carries
            unknown.refuse(self, request)

    def _require_match(self) -> None:
        """Compare If-Match with what GET shows; where a row is locked first, changing.py compares it again."""
        if self.has_etag and self.request.method in CHANGES and "HTTP_IF_MATCH" in self.request.META:
            shown = self.get(self.request, **self.kwargs)
            self.require_as_seen(shown.data)

    def require_as_seen(self, shown: Mapping[str, Any]) -> None:
        """Refuse if the caller's If-Match names another state than `shown`, which is what GET shows now."""
        asked = self.request.META.get("HTTP_IF_MATCH")
        if asked is not None and not {tag_of(shown), "*"} & set(_tags(asked)):
            raise Problem(412, _("It has changed since you looked. Get it again, and decide by what it is now."))

    def unkeyed_note(self) -> dict[str, str]:
        """The note in an answer to a send without a key, which nobody could repeat blindly."""
        if self.has_key:
            return {}
        return {"note": _("Sent without an Idempotency-Key: if this is repeated, it is sent again.")}

    @property
    def has_key(self) -> bool:
        return "HTTP_IDEMPOTENCY_KEY" in self.request.META


def tag_of(shown: Any) -> str:
    """The ETag of what GET shows."""
    return f'"{hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:32]}"'


def _tags(header: str) -> list[str]:
    return [one.strip().removeprefix("W/") for one in header.split(",")]


def _fields_of(serializer: type[serializers.Serializer]) -> Any:
    """The serializer's fields, copied once: a copy for each request takes longer than reading; they keep no state."""
    if serializer not in _fields:
        _fields[serializer] = serializer().fields
        field_words.put_into(_fields[serializer].values())
    return _fields[serializer]


_fields: dict[type[serializers.Serializer], Any] = {}


def _step_noting(note: Callable[[int | None], None]) -> AbstractContextManager[None]:
    return acts.noting(lambda about: note(getattr(about, "pk", None) or 0))


def _actor(request: Any) -> Actor:
    address, token = client_address(request), getattr(request, "api_token", None)
    if token is None:
        return Actor(None, "", address, is_script=True, sees_numbers=False)
    user = token.user
    return Actor(user.pk, user.get_username(), address, is_script=True, sees_numbers=user.has_perm(masks.SEE))


def row(rows: models.QuerySet[Row], pk: int) -> Row:
    found = rows.filter(pk=pk).first() if pk < LARGEST_ID else None
    if found is None:
        said = _("There is no %(thing)s %(id)s.")
        raise Problem(404, said % {"thing": rows.model._meta.verbose_name, "id": pk})
    return found


def by_position(query: Mapping[str, Any], n: int, shown: Callable[[int, int], list[Any]]) -> dict[str, Any]:
    """A page of a list without rows of its own: `shown(a, b)` gives the entries from position a to before b, of `n`."""
    start = _read_cursor(query["cursor"]) if query.get("cursor") else 0
    end = start + (query.get("limit") or USUAL_ROWS)
    return {"items": shown(start, end), "next": _cursor(end) if end < n else None}


def page(
    rows: models.QuerySet[Any],
    query: Mapping[str, Any],
    shown: Callable[[Any], Any],
    *,
    rising: bool = False,
    by: str = "pk",
) -> dict[str, Any]:
    """Some rows after the cursor, and the cursor of those after them; rows that are added in the meantime move nothing.

    `by` is a column with a whole number that no two rows share.
    """
    limit = query.get("limit") or USUAL_ROWS
    if cursor := query.get("cursor"):
        rows = rows.filter(**{f"{by}__gt" if rising else f"{by}__lt": _read_cursor(cursor)})
    found = list(rows.order_by(by if rising else f"-{by}")[: limit + 1])
    there_are_more = len(found) > limit
    found = found[:limit]
    following = _cursor(getattr(found[-1], by)) if there_are_more else None
    return {"items": [shown(one) for one in found], "next": following}


def _cursor(pk: int) -> str:
    return wrapped(str(pk))


def _read_cursor(cursor: str) -> int:
    if (pk := whole_number(unwrapped(cursor))) is None:
        raise not_a_cursor()
    return pk


def wrapped(text: str) -> str:
    """The cursor as it is written in an address."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unwrapped(cursor: str) -> str:
    """The text of a cursor; "" for one that `wrapped` has not made."""
    try:
        return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        return ""


def not_a_cursor() -> Problem:
    return problems.at("cursor", _("This cursor is not valid. Take “next” of the page before, or leave it out."))


class Flag(serializers.BooleanField):
    """A filter of a list: true for the rows with it, false for those without, empty or left out for all."""

    NULL_VALUES = serializers.BooleanField.NULL_VALUES - {""}

    def __init__(self, *, default: bool | None = None, **given: Any) -> None:
        super().__init__(required=False, allow_null=True, default=default, **given)


class ListQuery(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=MOST_ROWS, required=False)
    cursor = serializers.CharField(max_length=60, required=False, help_text="“next” of the page before")
