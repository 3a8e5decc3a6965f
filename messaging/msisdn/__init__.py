"""Phone numbers as people write them, read into an MSISDN: country code and number, digits only.

The phonenumbers library decides what is valid. This is the door of the package: nobody else names its modules.
"""

from messaging.msisdn.calling_codes import with_any_code
from messaging.msisdn.national import is_of
from messaging.msisdn.number import MAX_DIGITS, MIN_DIGITS, SHORTEST_NATIONAL, InvalidNumber, Msisdn
from messaging.msisdn.reading import country_of, is_valid, parse
from messaging.msisdn.time_zones import LONGEST_CODE, only_time_zones
from messaging.msisdn.written import digits_alone, from_spreadsheet

__all__ = [
    "LONGEST_CODE",
    "MAX_DIGITS",
    "MIN_DIGITS",
    "SHORTEST_NATIONAL",
    "InvalidNumber",
    "Msisdn",
    "country_of",
    "digits_alone",
    "from_spreadsheet",
    "is_of",
    "is_valid",
    "only_time_zones",
    "parse",
    "with_any_code",
]
