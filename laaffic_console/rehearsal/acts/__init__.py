"""What a rehearsal does on the channels where one request is one act, by their names on the command line."""

from laaffic_console.rehearsal.acts.acts import Acts
from laaffic_console.rehearsal.acts.bindings import Bindings
from laaffic_console.rehearsal.acts.email import EmailCampaigns
from laaffic_console.rehearsal.acts.group_calls import GroupCalls
from laaffic_console.rehearsal.acts.pools import Pools
from laaffic_console.rehearsal.acts.sip import SipCalls
from laaffic_console.rehearsal.acts.uploads import Uploads

ACTS: dict[str, type[Acts]] = {
    "bindings": Bindings,
    "email": EmailCampaigns,
    "group-calls": GroupCalls,
    "pools": Pools,
    "sip": SipCalls,
    "uploads": Uploads,
}
