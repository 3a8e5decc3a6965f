"""English as operators anywhere read it: no month that could be a day, and 24 hours."""

DATE_FORMAT = "j M Y"  # 5 Sep 2026
SHORT_DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
EXACT_DATETIME_FORMAT = "j M Y, H:i:s"
MONTH_DAY_FORMAT = "j M"
YEAR_MONTH_FORMAT = "M Y"
FIRST_DAY_OF_WEEK = 1
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3

# What can be typed: 03/04/2027 is a day in March to some and in April to others, and is refused.
DATE_INPUT_FORMATS = [
    "%Y-%m-%d",  # 2027-04-03
    "%Y/%m/%d",
    "%d %b %Y",  # 3 Apr 2027, as pages write it
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
]
DATETIME_INPUT_FORMATS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M",
    "%d %b %Y, %H:%M",
    "%d %b %Y %H:%M",
    "%Y-%m-%d",
]
