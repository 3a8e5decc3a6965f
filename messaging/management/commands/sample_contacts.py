"""The command `sample_contacts`: a file of made-up people."""

import csv
import random
from pathlib import Path
from typing import Any

import phonenumbers
from django.core.management.base import CommandError, CommandParser

from laaffic_console.kit.files.exports import why_not_written
from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.kit.words.figures import number as grouped

# Country, share of the rows, language, cities, names as they are written there.
PLACES = [
    ("IN", 20, "en", ["Pune", "Mumbai", "Bengaluru"], ["Asha Rao", "Vikram Singh", "Priya Nair", "Arjun Mehta"]),
    ("US", 12, "en", ["Austin", "Chicago", "Boston"], ["Grace Miller", "Daniel Lopez", "Emily Clark", "Noah Reed"]),
    ("GB", 9, "en", ["Leeds", "London", "Bristol"], ["Harriet Cole", "Oliver Shaw", "Amelia Frost"]),
    ("DE", 9, "de", ["Köln", "München", "Leipzig"], ["Jürgen Weiß", "Anna Schäfer", "Lukas Möller"]),
    ("FR", 8, "fr", ["Lyon", "Nantes", "Paris"], ["Élise Martin", "Hugo Bernard", "Chloé Petit"]),
    ("ES", 7, "es", ["Sevilla", "Bilbao", "Málaga"], ["Lucía Gómez", "Iñigo Ruiz", "Carmen Díaz"]),
    ("BR", 7, "pt", ["Recife", "São Paulo", "Curitiba"], ["João Silva", "Beatriz Souza", "Caio Lima"]),
    ("VN", 6, "vi", ["Hà Nội", "Đà Nẵng"], ["Nguyễn Văn An", "Trần Thị Mai", "Lê Minh"]),
    ("ID", 6, "id", ["Jakarta", "Bandung"], ["Siti Rahayu", "Budi Santoso", "Dewi Lestari"]),
    ("JP", 5, "ja", ["大阪", "東京"], ["佐藤 健", "鈴木 美咲", "高橋 蓮"]),
    ("CN", 5, "zh", ["上海", "成都"], ["王芳", "李伟", "张敏"]),
    ("NG", 3, "en", ["Lagos", "Abuja"], ["Chinwe Okafor", "Tunde Bello"]),
    ("MX", 3, "es", ["Puebla", "Mérida"], ["Ximena Torres", "Diego Peña"]),
]
COMPANIES = ["Northwind Foods", "Blue Harbour", "Lantern & Co", "Kite Logistics", "Sundial Clinics", "Maple Bank"]
MOST_ROWS = 4_000_000  # of a million endings, a fifth of the rows take India's
BAD_NUMBERS = [
    "9.19877E+11",
    "n/a",
    "12345",
    "+99 12 345 678",
    "call the office",
    "0000000000",
    "919876-54321-0987-112",
]


def share(text: str) -> float:
    found = float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
    if not 0 <= found <= 1:
        raise ValueError(text)
    return found


class Command(ConsoleCommand):
    help = "Write a file of invented contacts in many countries, some rows of it bad in the ways people get wrong."
    runs_half_restored = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--rows", type=int, default=10_000)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--bad", type=share, default=0.02, metavar="SHARE", help="of rows, such as 2%% or 0.02")

    def handle(self, *args: Any, **options: Any) -> None:
        chance = random.Random(options["seed"])  # noqa: S311 - the same file for the same seed
        seen: set[str] = set()
        if not 0 <= options["rows"] <= MOST_ROWS:
            raise CommandError(f"--rows: 0 to {grouped(MOST_ROWS)}: there are no more invented numbers.")
        try:
            with options["file"].open("w", encoding="utf-8", newline="") as text:
                writer = csv.writer(text)
                writer.writerow(["Phone number", "Full name", "E-mail", "Language", "City", "Company"])
                for index in range(options["rows"]):
                    writer.writerow(self.row(chance, index, seen, bad=chance.random() < options["bad"]))
        except OSError as problem:
            raise CommandError(why_not_written(problem, options["file"])) from problem
        self.stdout.write(f"{grouped(options['rows'])} rows written to {options['file']}")

    def row(self, chance: random.Random, index: int, seen: set[str], *, bad: bool) -> list[str]:
        country, _, language, cities, names = chance.choices(PLACES, [place[1] for place in PLACES])[0]
        name = chance.choice(names)
        number = chance.choice(BAD_NUMBERS) if bad else fresh_number(chance, country, seen)
        email = f"contact{index}@example.com" if chance.random() < 0.7 else ""
        return [number, name, email, language, chance.choice(cities), chance.choice(COMPANIES)]


def fresh_number(chance: random.Random, country: str, seen: set[str]) -> str:
    """A valid mobile number nobody else here has, written in one of the ways people write it."""
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        raise CommandError(f"{country}: no mobile number is known there")
    national = phonenumbers.national_significant_number(example)
    while True:
        tail = "".join(chance.choice("0123456789") for _ in range(6))
        number = phonenumbers.parse(f"+{example.country_code}{national[:-6]}{tail}")
        written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if written not in seen and phonenumbers.is_valid_number(number):
            break
    seen.add(written)
    style = chance.random()
    if style < 0.2:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return f"00{written[1:]}" if style < 0.3 else written[1:] if style < 0.7 else written
