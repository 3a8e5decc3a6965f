"""Admin lists that are copied from Laaffic, with exports of the rows that they show."""

from laaffic_console.exporting.exported_list import ExportedList
from laaffic_console.gateway.copied_lists import CopiedListAdmin
from phone_numbers.services import syncing


class SyncedListAdmin(ExportedList, CopiedListAdmin):
    copies = syncing.COPIES

    class Media:
        js = ["numbers/countdown.js"]
