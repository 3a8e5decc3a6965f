"""`laaffic-console COMMAND`, or `python -m laaffic_console COMMAND`: every command of manage.py."""

import os

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    execute_from_command_line()


if __name__ == "__main__":
    main()
