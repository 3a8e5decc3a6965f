"""Views that have Laaffic's voice lists read again."""

from laaffic_console.api import copied_lists
from laaffic_console.api.models import Scope
from voice.services.asking import group_calls as group_sync
from voice.services.asking import records_pulls
from voice.services.phones import sip_phones as phones
from voice.services.syncing import COPIES

PHONES = copied_lists.view_of(
    "Phones", COPIES, phones.names, look="voice.view_sipphone", sync="voice.add_sipcall", scope=Scope.VOICE
)
RECORDS = copied_lists.view_of(
    "Records",
    COPIES,
    records_pulls.names,
    look="voice.view_callrecord",
    sync="voice.change_callrecord",
    scope=Scope.VOICE,
)
GROUP_CALLS = copied_lists.view_of(
    "GroupCalls",
    COPIES,
    group_sync.names,
    look="voice.view_grouptask",
    sync="voice.change_grouptask",
    scope=Scope.VOICE,
)
