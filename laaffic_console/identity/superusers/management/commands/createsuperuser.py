"""Django's `createsuperuser`, which with --noinput takes no password that it would refuse at the keyboard."""

import os
from typing import Any

from django.contrib.auth.management.commands.createsuperuser import Command as DjangosCommand
from django.contrib.auth.models import User

from laaffic_console.gateway.management.commands.ensure_superuser import VARIABLE, refuse_weak


class Command(DjangosCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get(VARIABLE)
        if not options["interactive"] and password is not None:
            given = {
                field: options[field] or os.environ.get(f"DJANGO_SUPERUSER_{field.upper()}", "")
                for field in ("username", "email")
            }
            refuse_weak(password, User(**given))
        super().handle(*args, **options)
