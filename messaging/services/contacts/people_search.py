"""Who is found from everywhere: contacts by any spelling of their number or its end, by name or email, by an index."""

import contextlib
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import phonenumbers
from django.db import connection
from django.db.models import Q, QuerySet

from laaffic_console.kit.masking import masks
from laaffic_console.kit.registers.search_kinds import FEWEST_DIGITS, Query
from messaging import msisdn, search_indexes
from messaging.models import Contact, Message, Reply, SuppressionEntry
from messaging.services.contacts import name_index
from messaging.subscribers import every_spelling

NATIONAL = 5  # digits from which a national number is looked for behind every country code
WORDS = 5  # of a name that are compared
FEW = 1000  # people who begin so: up to this many, a list also shows people found in other ways
FEW_WAIT = 2000  # for the index, up to which each of them is looked at
LISTED = 200  # found in other ways
ENOUGH = 8  # so that nobody looks for digits in the middle of numbers
INSIDE = 10  # digits before which at most four more can be in a number that goes on behind them
READ_ALL = "SELECT number FROM messaging_contact WHERE number LIKE %s LIMIT 101"  # up to 0.2 s for a million contacts
BEHIND_ANY = """
WITH RECURSIVE before(digits) AS (SELECT 1 UNION ALL SELECT digits + 1 FROM before WHERE digits + 1 < %s)
SELECT c.number FROM before CROSS JOIN messaging_contact c
WHERE c.number >= CAST(before.digits AS text) || %s AND c.number < CAST(before.digits AS text) || %s LIMIT 101
"""


def find(query: Query, limit: int, *, anywhere: bool = False) -> list[Contact]:
    """At most `limit` contacts, the likeliest first; a handful of questions, each answered by an index.

    With `anywhere` also by digits in the middle of their number, where the other ways do not find enough, and nobody
    whose whole number they are.
    """
    if not masks.may_see() and (query.digits or "@" in query.text):
        return list(whole(query)[:limit])
    ways = _by_number(query.digits) if query.digits else _by_text(query.text)
    found: dict[int, Contact] = {}
    for way in ways:
        for contact in way[:limit]:
            found.setdefault(contact.pk, contact)
        if len(found) >= limit:
            break
    if anywhere and len(found) < limit and query.digits and not _any_whole(query, found.values()):
        inside = Contact.objects.order_by().filter(number__in=_with_inside(query.digits))
        found |= {contact.pk: contact for contact in inside[:limit]}
    if len(found) < limit and not query.digits and "@" not in query.text:
        found |= {contact.pk: contact for contact in _with_letters(query.text)}
    return list(islice(found.values(), limit))


def narrow(contacts: QuerySet[Contact], query: Query) -> QuerySet[Contact]:
    """For a list: everyone who begins so, and, where they are few, whom `find` also finds."""
    if not masks.may_see() and (query.digits or "@" in query.text):
        return contacts.filter(pk__among=[contact.pk for contact in find(query, LISTED)])
    column = "number" if query.digits else "email" if "@" in query.text else "name"
    beginning = search_indexes.numbers_from(query.digits) if query.digits else search_indexes.starts(column, query.text)
    order = ("number",) if query.digits else search_indexes.order_by_start(column)
    begin = Contact.objects.order_by().filter(beginning).values_list("pk", flat=True)[: FEW + 1]
    if query.problem or len(begin) > FEW:
        return contacts.filter(beginning).order_by(*order)
    meant = {*begin, *(contact.pk for contact in find(query, LISTED))}
    if len(meant) < ENOUGH:
        meant.update(contact.pk for contact in find(query, ENOUGH, anywhere=True))
    return contacts.filter(pk__among=meant).order_by(*order)


def whole(query: Query) -> QuerySet[Contact]:
    """Contacts with exactly this number or address. A viewer who sees masks may search only so: by parts that find
    somebody, they could work out the hidden digits one by one."""
    contacts = Contact.objects.order_by("number")
    if query.digits:
        return contacts.filter(number__in=numbers_meant(query))
    return contacts.filter(search_indexes.starts("email", query.text), email__iexact=query.text)


def numbers_meant(query: Query) -> list[str]:
    """The numbers that these digits can be as a whole, in every spelling of their subscriber."""
    if not msisdn.MIN_DIGITS <= len(query.digits) <= msisdn.MAX_DIGITS:
        return []
    meant = [query.digits]
    with contextlib.suppress(msisdn.InvalidNumber):
        meant.append(msisdn.parse(f"+{query.digits}").number)  # without the 0 of +49 (0) 151 …
    return list(dict.fromkeys(every_spelling(meant)))


def numbers_of(query: Query, limit: int) -> list[str]:
    """The numbers meant as a whole, and those of contacts that these digits begin or end: for tables found by number.

    Only the contacts have an index on the end of a number: a million messages share far fewer numbers.
    """
    if not query.may_be_a_number:
        return []
    return list(dict.fromkeys([*numbers_meant(query), *(contact.number for contact in find(query, limit))]))


def stranger(query: Query) -> str:
    """The number among those meant that something is known of although no contact has it; "" where there is none."""
    for number in numbers_meant(query):
        known = (rows.objects.filter(number=number).order_by() for rows in (Message, Reply, SuppressionEntry))
        if any(rows.exists() for rows in known):
            return number
    return ""


def _by_number(digits: str) -> Iterator[QuerySet[Contact]]:
    contacts = Contact.objects.order_by()
    if numbers := numbers_meant(Query(digits, digits)):
        yield contacts.filter(number__in=numbers)
    national = digits.lstrip("0")  # dialled at home with a 0 before it
    ending = national if len(national) >= FEWEST_DIGITS else digits
    if len(ending) >= FEWEST_DIGITS:
        yield search_indexes.with_last_digits(contacts).filter(search_indexes.ends(ending))
    if len(digits) <= msisdn.MAX_DIGITS:
        yield contacts.filter(search_indexes.numbers_from(digits)).order_by("number")
    if NATIONAL <= len(national) < msisdn.MAX_DIGITS:
        yield contacts.filter(pk__in=_national_ids(national))


def _with_letters(text: str) -> list[Contact]:
    """Contacts whose name has each of these words in it somewhere: a middle name, or three letters of one."""
    words = name_index.words_of(text)
    contacts = Contact.objects.filter(pk__among=name_index.ids_with(words)).order_by("pk")
    return [contact for contact in contacts if name_index.holds(contact.name, words)]


def _any_whole(query: Query, found: Iterable[Contact]) -> bool:
    """Whether these digits are somebody's whole number, with the country code or without: they are in no middle."""
    meant, national = set(numbers_meant(query)), query.digits.lstrip("0")
    return any(
        contact.number in meant
        or (contact.number.endswith(national) and contact.number.removesuffix(national) in _calling_codes())
        for contact in found
    )


def _with_inside(digits: str) -> list[str]:
    """Numbers in which these digits stand somewhere between the first and the last.

    Where few digits can stand before them (INSIDE), by a look into the index of numbers for each that may: at most some
    tens of milliseconds. Else by their trigrams, and whom those do not know yet by looking at each.
    """
    if not FEWEST_DIGITS <= len(digits) < msisdn.MAX_DIGITS:
        return []
    if len(digits) >= INSIDE:
        return _numbers(BEHIND_ANY, [10 ** (msisdn.MAX_DIGITS - 1 - len(digits)), digits, _after(digits)])
    if not search_indexes.has_names():
        return _numbers(READ_ALL, [f"%{digits}%"])
    # Before the trigrams are asked: who gets into them in the meantime is in both, not in neither.
    waiting = name_index.waiting(FEW_WAIT + 1)
    if len(waiting) > FEW_WAIT:
        return _numbers(READ_ALL, [f"%{digits}%"])
    just_come = Contact.objects.order_by().filter(pk__among=waiting, number__contains=digits)
    just_found = just_come.values_list("number", flat=True)[: name_index.LOOKED_AT]
    return [*just_found, *name_index.numbers_with(digits)]


def _numbers(sql: str, params: Sequence[str | int]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [number for (number,) in cursor.fetchall()]


def _national_ids(national: str) -> Sequence[int]:
    """Contacts whose number goes on so behind its country code: one look into the index for each code there is."""
    codes = ", ".join(f"('{code}')" for code in _calling_codes())
    begins = "VALUES " + codes
    sql = (
        f"WITH codes(code) AS ({begins}) SELECT c.id FROM codes "  # noqa: S608 - digits of our own table
        "CROSS JOIN messaging_contact c WHERE c.number >= code || %s AND c.number < code || %s LIMIT 101"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [national, _after(national)])
        return [pk for (pk,) in cursor.fetchall()]


def _after(digits: str) -> str:
    """The end of the stretch of what begins so, whatever the database's collation: digits alone are compared."""
    return digits + "9" * (msisdn.MAX_DIGITS + 1)


@functools.cache
def _calling_codes() -> tuple[str, ...]:
    return tuple(sorted(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE)))


def _by_text(text: str) -> Iterator[QuerySet[Contact]]:
    contacts = Contact.objects.order_by()
    if "@" in text:
        yield contacts.filter(search_indexes.starts("email", text))
        return
    yield contacts.filter(search_indexes.starts("name", text)).order_by(*search_indexes.order_by_start("name"))
    first, *others = re.split(r"[\s,]+", text.strip(" ,"))[:WORDS] or [""]
    if first:  # "Lee" and "Lee, Ann" find Ann Lee
        rest = Q()
        for word in others:
            rest &= Q(name__icontains=word)
        yield search_indexes.with_last_word(contacts).filter(search_indexes.last_word_starts(first)).filter(rest)
