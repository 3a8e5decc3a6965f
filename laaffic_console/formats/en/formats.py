"""English as operators anywhere read it: no month that could be a day, and 24 hours."""

DATE_FORMAT = "j M Y"  # 5 Sep 2026
SHORT_DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
EXACT_DATETIME_FORMAT = "j M Y, H:i:s"
MONTH_DAY_FORMAT = "j M"
FIRST_DAY_OF_WEEK = 1
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
