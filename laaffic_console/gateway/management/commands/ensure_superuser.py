"""The command `ensure_superuser`, for a set-up that nobody watches."""

import os
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from laaffic_console.kit.process.commands import ConsoleCommand, said

VARIABLE = "DJANGO_SUPERUSER_PASSWORD"  # of the environment


def refuse_weak(password: str, user: User) -> None:
    """CommandError with what a page would say against it."""
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise CommandError(f"{VARIABLE}: {' '.join(problem.messages)}") from problem


def refuse_name(username: str) -> None:
    """CommandError for a name that no page would take."""
    try:
        User(username=username).clean_fields(exclude=["password"])
    except ValidationError as problem:
        raise CommandError("\n".join(said(problem))) from problem


def refuse_other(user: User) -> None:
    """CommandError for an account that is not a superuser who can sign in: a script that goes on would rely on one.

    It is not made one: somebody may have taken the right away, and its owner never had this password.
    """
    if not user.is_active:
        why = "is switched off"
    elif not (user.is_superuser and user.is_staff):
        why = "is not a superuser"
    else:
        return
    raise CommandError(
        f"There is an account {user} that {why}. Choose another name, or let a superuser change that under Users."
    )


class Command(ConsoleCommand):
    help = "Make a superuser, or give an existing one the password in DJANGO_SUPERUSER_PASSWORD."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get(VARIABLE)
        if not password:
            raise CommandError("Set DJANGO_SUPERUSER_PASSWORD to the password.")
        if not User.objects.filter(username=options["username"]).exists():  # an earlier version took more names
            refuse_name(options["username"])
        with transaction.atomic():
            user, is_new = get_user_model().objects.get_or_create(
                username=options["username"], defaults={"is_staff": True, "is_superuser": True}
            )
            refuse_other(user)
            if not is_new and user.check_password(password):
                self.stdout.write(f"{user} has this password already.")
                return
            refuse_weak(password, user)
            user.set_password(password)
            user.save()
        self.stdout.write(f"Made the superuser {user}." if is_new else f"{user} has a new password.")
