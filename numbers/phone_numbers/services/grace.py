"""How long a request whose answer was lost may still be on its way at Laaffic, before its absence proves anything."""

import datetime as dt

GRACE = dt.timedelta(minutes=1)
