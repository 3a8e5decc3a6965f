"""`laaffic-console COMMAND`, or `python -m laaffic_console COMMAND`: every command of manage.py, and `demo`."""

import io
import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError, InterfaceError

from laaffic_console.kit.process import garbage, interrupts

# Servers do not act for the person who has started them; a worker's processes are those of its qcluster.
SERVERS = ("worker", "qcluster", "web", "runserver", "sandbox")
NOT_ON_A_SERVER = ("sandbox", "rehearse")


def main() -> None:
    garbage.look_seldom()
    if sys.stdout is None:  # closed: what a command is asked for is done anyway
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    if sys.stderr is None:  # closed: no file that is opened later, a database for one, may take its place
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal without “, or an odd name of a file, fails nothing
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.argv[1:2] == ["verify_dossier"]:  # it needs no settings, so that those of this machine cannot be in its way
        from laaffic_console import verify_dossier

        sys.exit(verify_dossier.main(sys.argv[2:]))
    if sys.argv[1:2] == ["demo"]:  # it sets the settings of what it starts, and needs none itself
        from laaffic_console.demo import processes

        sys.exit(processes.main(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    try:
        settings.DEBUG  # noqa: B018 - reads them all, before any command makes a trace of what is wrong with one
    except ImproperlyConfigured as wrong:
        sys.exit(str(wrong))
    if sys.argv[1:2] and sys.argv[1] in NOT_ON_A_SERVER and not settings.CAN_TRY:
        sys.exit(f"{sys.argv[1]} needs more than a server does: pip install 'laaffic-console[sandbox]'")
    if sys.argv[1:2] and sys.argv[1] not in SERVERS:
        from laaffic_console.kit.audit import acts

        acts.act_from_shell()
        if sys.argv[1] != "shell":  # its prompt outlives Ctrl-C
            interrupts.end_orderly()
    run()


def run() -> None:
    from laaffic_console.kit.process import commands
    from laaffic_console.kit.sql import database_troubles

    try:
        execute_from_command_line()
    except (DatabaseError, InterfaceError) as problem:  # of a command of Django's own, such as migrate
        said = "" if "--traceback" in sys.argv else database_troubles.sentence(problem)
        if not said:
            raise
        sys.exit(said)
    except KeyboardInterrupt:  # before or after the command itself, which says more
        sys.exit(commands.INTERRUPTED)
    finally:  # what a full disk did not take of the log would end the process with a code of Python's own
        try:
            sys.stderr.flush()
        except (OSError, ValueError):
            commands.leave_to_nobody(sys.stderr)


if __name__ == "__main__":
    main()
