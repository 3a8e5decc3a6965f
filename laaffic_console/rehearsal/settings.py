"""The settings of a rehearsal's processes: the console's own, with waits as short as its leases.

What makes the machine lie about time and names is put in here, so that no process outside a rehearsal knows of it.
"""

from laaffic_console.rehearsal.installations import machine
from laaffic_console.settings import *  # noqa: F403

LAAFFIC_LOST_AFTER_SECONDS = 8.0
NUMBERS_GRACE_SECONDS = 6.0
API_LOST_AFTER_SECONDS = 8.0

machine.begin_to_lie()
