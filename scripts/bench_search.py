"""How long each kind of search takes, and a person's page, with a million contacts and two million messages.

Fills the empty database of DATABASE_URL (scripts/fill.py, then names of people, spread numbers, replies) unless it is
full already, and prints the median and the slowest of `--times`: scripts/bench_search.py --messages 2000000.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
LIMIT = 100  # ms
FIRST = [
    "Asha",
    "Ben",
    "Carla",
    "Dmitri",
    "Elif",
    "Farid",
    "Grace",
    "Hiro",
    "Ines",
    "Jamal",
    "Karin",
    "Luis",
    "Mei",
    "Nadia",
    "Omar",
    "Priya",
    "Rosa",
    "Sven",
    "Tariq",
    "Uma",
]
LAST = [
    "Verma",
    "Ott",
    "Rossi",
    "Ivanov",
    "Demir",
    "Khan",
    "Mensah",
    "Sato",
    "Costa",
    "Haddad",
    "Berg",
    "Vega",
    "Lin",
    "Popova",
    "Diallo",
    "Nair",
    "Silva",
    "Holm",
]
MIDDLE = ["Fernanda", "Maria", "Jose", "Kumar", "Anne", "Oluwaseun", "de la Cruz"]

# Names of two words, a third of them with a third word between; numbers whose last six digits are mixed, so that they
# are spread as in reality.
NAMES = """
UPDATE messaging_contact SET name = {first} || {middle} || ' ' || {last} || 'i' || (id % 5000),
    email = 'person' || id || '@example.org'
"""
NUMBERS = """
UPDATE {table} SET number = CAST(919700000000 + ((CAST(number AS BIGINT) - 919800000000) * 7919) % 1000003 AS text)
"""
REPLIES = """
INSERT INTO messaging_reply (key, number, country, content, sent_to, at, received_at, source, gateway_id, operator,
    opt_out, suppressed_on)
SELECT 'bench' || id, number, country, 'Yes, thank you', 'SHOP', created_at, created_at, 'push', '', '', '', ''
FROM messaging_contact WHERE id % 20 = 0
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    prepare(options)
    index_names()
    return report(options.times)


def prepare(options: argparse.Namespace) -> None:
    import fill

    from messaging.models import Contact

    if Contact.objects.exists():
        print("filled already", flush=True)
        return
    began = time.monotonic()
    fill.fill(options.messages, options.contacts, min(100_000, options.contacts))
    fill.run(NAMES, first=chosen(FIRST, "id"), last=chosen(LAST, "id / 20"), middle=middle_name())
    for table in ("messaging_contact", "messaging_message"):
        fill.run(NUMBERS, table=table)
    fill.run(REPLIES)
    fill.run("ANALYZE")
    print(f"filled in {time.monotonic() - began:.0f} s", flush=True)


def chosen(words: list[str], by: str) -> str:
    cases = " ".join(f"WHEN {n} THEN '{word}'" for n, word in enumerate(words))
    return f"CASE ({by}) % {len(words)} {cases} END"


def index_names() -> None:
    from messaging.services.contacts import name_index

    began = time.monotonic()
    while name_index.is_waiting():
        name_index.index_waiting()
    print(f"names and numbers indexed in {time.monotonic() - began:.0f} s", flush=True)


def middle_name() -> str:
    return f"CASE WHEN id % 3 = 0 THEN ' ' || {chosen(MIDDLE, 'id / 3')} ELSE '' END"


def report(times: int) -> int:
    from django.contrib.auth.models import User
    from django.db import connection

    from laaffic_console.dashboard import search
    from messaging.models import Contact, Message
    from messaging.people import person_timeline
    from messaging.services.contacts import people

    user = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("bench")
    contact = Contact.objects.order_by("-pk")[1000]
    number = contact.number
    sent = Message.objects.exclude(gateway_id=None).order_by("-pk")[5000]
    first, *_between, last = contact.name.split()
    searches = {
        "whole number": f"+{number[:2]} {number[2:7]} {number[7:]}",
        "number with 00": f"00{number}",
        "national number": f"0{number[2:]}",
        "its beginning": number[:7],
        "national beginning": number[2:8],
        "last four digits": number[-4:],
        "last six digits": number[-6:],
        "no such number": "447700900999",
        "eight digits inside": number[2:10],
        "six, nobody's inside": "888887",
        "eight, nobody's": "12345678",
        "first name": first,
        "last name": last,
        "last name, common": last[:4],
        "middle name": "Fernanda",
        "three letters": "nda",
        "letters, many": "ver",
        "letters of two names": "olu vermai7",
        "no such letters": "marianneri",
        "both names": f"{last}, {first}",
        "no such name": "Zzyzx Qqq",
        "name, Cyrillic": "Иванов",
        "email": contact.email[: contact.email.index("@") + 2],
        "campaign": "Filled 1",
        "gateway id": str(sent.gateway_id),
        "order id": f"lc-{sent.pk}",
        "two letters": "as",
        "emoji": "😀😀",
    }
    slow = 0
    print(f"{connection.vendor}: {Contact.objects.count():,} contacts, {Message.objects.count():,} messages")
    for name, typed in searches.items():
        found = search.find(user, typed)
        slow += line(name, partial(search.find, user, typed), times, f"{found.count} found for “{typed}”")
    sources = person_timeline.sources_for(user)
    person = people.of(number).person
    slow += line("a person's page", lambda: person_timeline.page(people.of(number).person, sources), times, number)
    assert person_timeline.page(person, sources)[0]
    return 1 if slow else 0


def line(name: str, ask: Callable[[], object], times: int, said: str) -> bool:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    median = statistics.median(took)
    print(f"  {name:<20}{median:>8.1f} ms  at most {max(took):>7.1f}  {said}", flush=True)
    return median > LIMIT


if __name__ == "__main__":
    sys.exit(main())
