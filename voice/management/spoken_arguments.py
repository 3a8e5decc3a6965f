"""`manage.py voice say …`: a spoken message, by the same services as the admin's."""

from argparse import ArgumentParser
from typing import Any

from laaffic_console.gateway.models import Channel
from laaffic_console.kit.words.plain_text import capitals
from laaffic_console.laaffic import Spoken
from messaging.management import draft_arguments
from messaging.services.campaigns import drafts
from voice.services.spoken.options import GENDERS, TtsOptions

# The options that give each parameter; some have another name in a group call.
GIVEN_BY = {
    "speaking_rate": ["speed", "speaking_rate"],
    "loop_count": ["times", "loops"],
    "max_ringing_time": ["ring", "max_ringing"],
    "recall_count": ["again"],
    "recall_interval": ["again_after"],
    "max_duration": ["longest"],
    "delay_play": ["silence_before"],
    "delay_hangup": ["silence_after"],
}


def add(parser: ArgumentParser) -> None:
    draft_arguments.add(parser)
    parser.add_argument("--text", required=True, help="at most 1,000 characters, with merge fields")
    parser.add_argument("--language", default="EN")
    parser.add_argument("--accent", default="", help="a calling code such as 91; else the language's own")
    parser.add_argument("--gender", choices=GENDERS)
    parser.add_argument("--speed", type=float, default=1.0, help="0.25 to 4")
    parser.add_argument("--times", type=int, default=1, help="said so often in one call, 1 to 9")
    parser.add_argument("--ring", type=int, default=60, metavar="SECONDS", help="20 to 120")
    parser.add_argument("--again", type=int, default=0, metavar="N", help="called again so often, 0 to 9")
    parser.add_argument("--again-after", type=int, default=5, metavar="MINUTES", help="1 to 999")
    parser.add_argument("--longest", type=int, metavar="SECONDS", help="hung up after, 1 to 120")
    parser.add_argument("--silence-before", type=int, metavar="SECONDS", help="0 to 999")
    parser.add_argument("--silence-after", type=int, metavar="SECONDS", help="0 to 999")
    parser.add_argument("--display-number", default="", help="7 to 15 digits")


def run(options: dict[str, Any]) -> dict[str, Any]:
    """Make a draft, as `campaign create` does; `campaign launch` starts the calls."""
    draft = drafts.create(
        **draft_arguments.fields_of(options, Channel.VOICE),
        sender_id="",
        text=options["text"],
        channel_options=TtsOptions(_spoken(options), options["display_number"]).as_json(),
    )
    return {"id": draft.pk, "state": draft.state, **draft_arguments.told_of(draft.paste)}


def _spoken(options: dict[str, Any]) -> Spoken:
    return Spoken(
        text="",
        language=capitals(options["language"]),
        accent=options["accent"],
        gender=GENDERS.get(options["gender"]),
        speaking_rate=options["speed"],
        loop_count=options["times"],
        recall_count=options["again"],
        recall_interval=options["again_after"],
        max_duration=options["longest"],
        max_ringing_time=options["ring"],
        delay_play=options["silence_before"],
        delay_hangup=options["silence_after"],
    )
