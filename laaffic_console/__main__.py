"""`laaffic-console COMMAND`, or `python -m laaffic_console COMMAND`: every command of manage.py."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    if sys.argv[1:2] == ["verify_dossier"]:  # it needs no settings, so that those of this machine cannot be in its way
        from laaffic_console import verify_dossier

        sys.exit(verify_dossier.main(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    execute_from_command_line()


if __name__ == "__main__":
    main()
