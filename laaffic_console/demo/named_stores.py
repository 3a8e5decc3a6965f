"""Servers that the environment names, as it does for a console in use: a demo takes none that holds another's things.

It would migrate that database, sign in to it as `demo`, send its running campaigns to the sandbox, and throw the bells
of its queue away.
"""

import hashlib
import json
import os

from laaffic_console.demo.commands import DemoFailed, manage
from laaffic_console.demo.place import Demo, write_private

# What is asked in a process of its own: this one reads no settings.
HOLDS_SOMETHING = {
    "DATABASE_URL": "from django.db import connection; print(bool(connection.introspection.table_names()))",
    "REDIS_URL": "import os, redis; print(redis.from_url(os.environ['REDIS_URL']).dbsize() > 0)",
}


def take(named: dict[str, str], demo: Demo) -> None:
    """Refuse one that holds something and was not taken empty by this demo; remember those that are taken, by digest,
    before anything is written to them: a start that is killed goes on with them.
    """
    for setting, url in named.items():
        digest = hashlib.sha256(url.encode()).hexdigest()
        if demo.secrets.get(setting) == digest:
            continue
        if _holds_something(setting):
            raise DemoFailed(
                f"{setting} names a server that already holds something which the demo in {demo.folder} did not make, "
                f"perhaps a console's in use. Unset {setting}, or name an empty database"
            )
        demo.secrets[setting] = digest
        write_private(demo.folder / "demo.json", json.dumps(demo.secrets))


def named() -> dict[str, str]:
    """Asked before the demo's own settings take the place of the environment's."""
    return {setting: os.environ[setting] for setting in HOLDS_SOMETHING if os.environ.get(setting)}


def _holds_something(setting: str) -> bool:
    return manage("shell", "-v", "0", "-c", HOLDS_SOMETHING[setting]).split()[-1:] == ["True"]
