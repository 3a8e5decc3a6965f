"""manage.py api_token create NAME --user USER · api_token list · api_token rotate ID · api_token revoke ID"""

import datetime as dt
import json
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from laaffic_console.api import tokens
from laaffic_console.api.models import ApiToken, Scope
from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.kit.words.figures import number

LONGEST_DAYS = 3650


class Command(ConsoleCommand):
    help = "Tokens of the REST API: create one, list, rotate and revoke them."
    given_by = {"per_minute": ["rate"], "addresses": ["address"], "scopes": ["scope"], "expires_at": ["expires"]}

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="its secret is printed now and never again")
        create.add_argument("name", metavar="NAME", help="what uses it")
        create.add_argument("--user", required=True, metavar="USER", help="the user it acts for")
        create.add_argument(
            "--scope", action="extend", nargs="+", default=[], choices=Scope.values, help="default: every scope"
        )
        create.add_argument("--expires", type=int, metavar="DAYS", help="default: it does not")
        create.add_argument(
            "--address", action="extend", nargs="+", default=[], metavar="ADDRESS", help="or network; default: any"
        )
        create.add_argument("--rate", type=int, metavar="PER_MINUTE", help="requests a minute")
        create.add_argument("--json", action="store_true")
        listing = verbs.add_parser("list", help="every token, without its secret")
        listing.add_argument("--json", action="store_true")
        rotate = verbs.add_parser("rotate", help="a new secret; the old one is good for a day more")
        rotate.add_argument("id", type=int, metavar="ID")
        rotate.add_argument("--hours", type=int, default=24, help="how long the old one is good (24)")
        rotate.add_argument("--json", action="store_true")
        revoke = verbs.add_parser("revoke", help="it stops working at once")
        revoke.add_argument("id", type=int, metavar="ID")
        revoke.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        act = {"create": self.create, "list": self.list, "rotate": self.rotate, "revoke": self.revoke}
        try:
            document, text = act[options["verb"]](options)
        except ValidationError as problem:
            raise self.refused(problem) from problem
        self.stdout.write(json.dumps(document) if options["json"] else text)

    def create(self, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user “{options['user']}”. Make one: manage.py createsuperuser")
        days = options["expires"]
        if days is not None and not 1 <= days <= LONGEST_DAYS:
            raise CommandError(f"--expires takes days, from 1 to {number(LONGEST_DAYS)}.")
        token, secret = tokens.create(
            options["name"],
            user=user,
            scopes=options["scope"],
            expires=dt.timedelta(days=days) if days else None,
            addresses=options["address"],
            per_minute=options["rate"],
        )
        return made(token, secret)

    def list(self, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
        rows = [of_token(token) for token in ApiToken.objects.select_related("user")]
        lines = ["{id}\t{name}\t{user}\t{state}".format(**row) for row in rows]
        return {"tokens": rows}, "\n".join(
            lines
        ) or "There is no token. Make one: manage.py api_token create NAME --user USER"

    def rotate(self, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
        if not 0 <= options["hours"] <= 24 * 365:
            raise CommandError("--hours takes a whole number from 0 to 8,760.")
        return made(*tokens.rotate(token_of(options["id"]), overlap=dt.timedelta(hours=options["hours"])))

    def revoke(self, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
        token = token_of(options["id"])
        tokens.revoke(token)
        return {"id": token.pk, "state": "revoked"}, f"Token {token.pk} no longer works."


def made(token: ApiToken, secret: str) -> tuple[dict[str, Any], str]:
    return {"token": secret, "id": token.pk}, f"{secret}\nIt is not shown again. Its id is {token.pk}."


def token_of(pk: int) -> ApiToken:
    token = ApiToken.objects.select_related("user").filter(pk=pk).first()
    if token is None:
        raise CommandError(f"There is no token {pk}. See manage.py api_token list")
    return token


def of_token(token: ApiToken) -> dict[str, Any]:
    state = "revoked" if token.revoked_at else "good" if token.is_good else "expired"
    return {
        "id": token.pk,
        "name": token.name,
        "user": token.user.get_username(),
        "scopes": token.scopes,
        "addresses": token.addresses,
        "state": state,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        "last_used_at": token.last_used_at.isoformat() if token.last_used_at else None,
    }
