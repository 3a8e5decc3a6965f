"""The command that tells the console about an application."""

import io

import pytest
from django.core.management import CommandError, call_command

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application
from laaffic_console.kit.audit import acts

pytestmark = pytest.mark.django_db


def register(*arguments: str) -> str:
    said = io.StringIO()
    with acts.acting(lambda: acts.Actor(None, "shell user ann", is_shell=True)):
        call_command("register_app", *arguments, stdout=said)
    return said.getvalue()


class RegisterTests:
    def test_a_new_application(self) -> None:
        said = register("4luaKsL2", "--channel", "sms", "--name", "Shop", "--sender-id", "SHOP")

        application = Application.objects.get()
        assert (application.app_id, application.channel) == ("4luaKsL2", "sms")
        assert (application.name, application.sender_id) == ("Shop", "SHOP")
        assert said == "Registered Shop (4luaKsL2) for SMS\n"

    def test_who_did_what_says_it(self) -> None:
        register("4luaKsL2", "--channel", "sms", "--name", "Shop")
        register("4luaKsL2", "--channel", "sms", "--name", "Store")
        register("4luaKsL2", "--channel", "sms")

        told = AuditEntry.objects.filter(object_kind="gateway.application").order_by("pk")
        assert [(entry.kind, entry.details.get("changes")) for entry in told] == [
            ("added", None),
            ("changed", [["name", "Shop", "Store"]]),
        ]

    @pytest.mark.parametrize("channel", ["sms", "voice", "email", "number"])
    def test_every_channel_has_applications(self, channel: str) -> None:
        register("4luaKsL2", "--channel", channel)

        assert Application.objects.get().channel == channel

    def test_one_that_is_switched_off_stays_so_and_that_is_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        register("4luaKsL2", "--channel", "sms")
        Application.objects.update(is_active=False)

        register("4luaKsL2", "--channel", "sms", "--name", "Shop")

        assert not Application.objects.get().is_active
        assert "4luaKsL2 is switched off. Switch it on where it says Active: " in capsys.readouterr().err

    def test_twice_at_once_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def registered_meanwhile(application: Application) -> None:
            Application.objects.bulk_create([Application(app_id=application.app_id, channel="sms")])

        monkeypatch.setattr(Application, "full_clean", registered_meanwhile)

        with pytest.raises(CommandError, match="was registered by somebody else a moment ago"):
            register("4luaKsL2", "--channel", "sms")

    def test_again_changes_what_is_named_and_keeps_the_rest(self) -> None:
        register("4luaKsL2", "--channel", "sms", "--name", "Shop", "--sender-id", "SHOP")

        said = register("4luaKsL2", "--channel", "sms", "--sender-id", "STORE")

        application = Application.objects.get()
        assert (application.name, application.sender_id) == ("Shop", "STORE")
        assert said.startswith("Updated ")


class RefusalTests:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (["", "--channel", "sms"], "APPID: This field cannot be blank"),
            (["4luaKsL2", "--channel", "sms", "--name", "\u200b"], "name: Write a name that can be seen"),
        ],
    )
    def test_each_sentence_names_its_field(self, given: list[str], said: str) -> None:
        with pytest.raises(CommandError, match=said):
            register(*given)

        assert not Application.objects.exists()

    def test_an_app_id_of_another_channel(self) -> None:
        register("4luaKsL2", "--channel", "voice")

        with pytest.raises(CommandError, match=r"registered for Voice.*App Management"):
            register("4luaKsL2", "--channel", "sms")

        assert Application.objects.get().channel == "voice"

    @pytest.mark.parametrize("app_id", ["has space", "a/b", "ü", "x" * 65])
    def test_what_is_no_app_id(self, app_id: str) -> None:
        with pytest.raises(CommandError):
            register(app_id, "--channel", "sms")

        assert not Application.objects.exists()

    def test_a_sender_id_too_long(self) -> None:
        with pytest.raises(CommandError, match="32"):
            register("4luaKsL2", "--channel", "sms", "--sender-id", "x" * 33)

        assert not Application.objects.exists()

    @pytest.mark.parametrize("arguments", [["4luaKsL2"], ["4luaKsL2", "--channel", "fax"]])
    def test_the_channel_must_be_one(self, arguments: list[str]) -> None:
        with pytest.raises(CommandError):
            register(*arguments)
