"""Numbers without a country code, read as those of a region."""

import functools
import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, ValidationResult

from messaging.msisdn.calling_codes import in_table
from messaging.msisdn.library import from_library, has_length, settled
from messaging.msisdn.number import Msisdn


@dataclass(frozen=True, slots=True)
class _NationalRules:
    calling_code: int
    prefix: re.Pattern[str]  # what the library may take off; with such a beginning it is asked
    abroad: re.Pattern[str]  # what is dialled before a foreign number: 011 in the US, 00 and a carrier in Brazil


@functools.cache
def national_rules(region: str) -> _NationalRules | None:
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.country_code is None:
        return None
    beginnings = [metadata.national_prefix_for_parsing, metadata.international_prefix, "0"]
    return _NationalRules(
        metadata.country_code,
        re.compile("|".join(f"(?:{beginning})" for beginning in beginnings if beginning)),
        re.compile(metadata.international_prefix or "(?!)"),
    )


def read_national(digits: str, region: str) -> Msisdn | None:
    """The number as one of this country, if its length allows it."""
    rules = national_rules(region)
    if rules is not None and not rules.prefix.match(digits) and (found := in_table(f"{rules.calling_code}{digits}")):
        return found
    try:
        parsed = settled(phonenumbers.parse(digits, region))
    except NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    return from_library(parsed) if possible and has_length(parsed) else None


def is_of(number: str, region: str) -> bool:
    """Whether these digits begin with the country code of this region."""
    rules = national_rules(region)
    return rules is not None and number.startswith(str(rules.calling_code))
