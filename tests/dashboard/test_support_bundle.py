"""The support bundle says how the console is, and nothing about a person: searched byte by byte."""

import io
import json
import re
import traceback
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.test import Client
from django.utils import timezone
from django_q.models import Failure, Task

from laaffic_console.dashboard.health import support_bundle
from laaffic_console.gateway.models import Lease, Trouble, WorkerHeartbeat
from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.work import leases
from phone_numbers.services import syncing as number_lists
from tests.dashboard import doors
from tests.gateway import test_trouble_names
from voice.services import syncing as voice_lists

pytestmark = pytest.mark.django_db

MARK = "Zq7pK"  # begins every text of the world that the bundle is made in
TEXTS = (models.CharField, models.TextField, models.JSONField)


ROOT = Path(__file__).parents[2]
SOURCES = [
    path for app in ("messaging", "voice", "numbers", "laaffic_console") for path in sorted((ROOT / app).rglob("*.py"))
]
# A name, or the constant of the same module that holds it.
LEASE = re.compile(r'leases\.(?:lease|take)\(\s*(?:f?"([^"]+)"|([A-Z_]+))')
CONSTANT = re.compile(r'^([A-Z_]+) = "([^"]+)"', re.MULTILINE)
OWN_LEASE = re.compile(r'^(?:LEASE|SWEPT|SWEEP_RUNG) = "([^"]+)"', re.MULTILINE)
JOB = re.compile(r'"((?:laaffic_console\.\w+|messaging|voice|phone_numbers)\.jobs\.\w+)"')


def rung() -> set[str]:
    """Every job that a bell is rung for."""
    return {job for path in SOURCES for job in JOB.findall(path.read_text())}


def opened(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        return {
            name: json.loads(bundle.read(name)) if name.endswith(".json") else bundle.read(name).decode()
            for name in bundle.namelist()
        }


def marked_world() -> set[str]:
    """A row of everything, each of its texts marked; which models have one."""
    made = doors.one_of_each()
    marked = set()
    for model in apps.get_models():
        if model._meta.proxy or not model._meta.managed:
            continue
        try:
            with transaction.atomic():
                doors.one(model, made)
        except Exception:
            continue
        fields = [f for f in model._meta.concrete_fields if isinstance(f, TEXTS) and (f.max_length or 99) > len(MARK)]
        for field in fields:
            text = f"{MARK}{field.name}"[: field.max_length or 60]
            value = {text: [text]} if isinstance(field, models.JSONField) else text
            try:
                with transaction.atomic():
                    model._base_manager.update(**{field.name: value})
                    connection.check_constraints()
            except Exception:
                continue
            marked.add(model._meta.label)
    return marked


class NothingPersonalTests:
    def test_no_text_of_any_row_and_no_setting_is_in_it(self, settings: LazySettings) -> None:
        marked = marked_world()
        for name in ("LAAFFIC_API_KEY", "LAAFFIC_API_SECRET", "SECRET_KEY", "LAAFFIC_ORDER_PREFIX"):
            setattr(settings, name, f"{MARK}-{name}")
        settings.LAAFFIC_PUSH_TOKENS = [f"{MARK}-token"]
        settings.LAAFFIC_PUSH_SOURCES = [f"{MARK}-network"]
        settings.ALLOWED_HOSTS = ["testserver", f"{MARK}.example.com"]
        settings.CONSOLE_URL = f"https://{MARK}:{MARK}@example.com"
        settings.LAAFFIC_BASE_URL = f"http://{MARK}.example.com/v3"
        settings.LAAFFIC_PATHS = {MARK: MARK}
        settings.LAAFFIC_BALANCE_CURRENCY = MARK
        settings.OPT_OUT_WORDS = [MARK]
        settings.TRUSTED_PROXIES = [MARK]

        content = support_bundle.content()

        assert {"messaging.Contact", "messaging.Reply", "gateway.Lease", "gateway.Trouble", "django_q.Task"} <= marked
        assert {"gateway.WorkerHeartbeat", "messaging.ContactImport", "voice.SipCall", "auth.User"} <= marked
        said = opened(content)
        assert [name for name, part in said.items() if isinstance(part, dict) and "failed" in part] == []
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            bytes_ = {name: name.encode() + bundle.read(name) for name in bundle.namelist()}
        assert [name for name, part in bytes_.items() if MARK.lower().encode() in part.lower()] == []
        assert said["leases.json"][0]["kind"] == "other"
        assert said["queue.json"]["imports"] == {"other": 1}

    def test_of_an_error_there_is_its_kind_and_place(self) -> None:
        try:
            int("+91 98765 43210 Asha")
            raise AssertionError
        except ValueError as problem:
            isolation.note("reply from +919876543210", problem)
            said = traceback.format_exc().replace(__file__, isolation.__file__)
        now = timezone.now()
        Task.objects.create(
            id="1", name="n", func="messaging.jobs.sweep", started=now, stopped=now, success=False,
            result=f"+919876543210 : {said}\n  File \"/home/asha/secret.py\", line 3, in x\nValueError: Asha",
        )  # fmt: skip
        Task.objects.create(id="2", name="n2", func="asha.rao", started=now, stopped=now, success=False, result="Asha")
        assert Failure.objects.count() == 2

        found = opened(support_bundle.content())["errors.json"]

        trouble = found["troubles"][0]
        assert (trouble["about"], trouble["error"], trouble["times"]) == ("reply from", "ValueError", 1)
        first, other = sorted(found["failed jobs"], key=lambda one: one["job"])
        assert (first["job"], first["error"]) == ("messaging.jobs.sweep", "ValueError")
        assert len(first["where"]) == 1
        assert first["where"][0].startswith("laaffic_console/gateway/services/database/isolation.py:")
        assert (other["job"], other["error"], other["where"]) == ("other", "other", [])


class TellingTests:
    def test_what_helps_is_in_it(self) -> None:
        leases.take("import:12")
        WorkerHeartbeat.objects.create(worker="w", host="h", pid=1, started_at=timezone.now(), restarts=4)
        Trouble.objects.create(
            name="replies of A1", problem="OperationalError: x", first_at=timezone.now(), last_at=timezone.now()
        )

        said = opened(support_bundle.content())

        assert set(said) == {
            "README.txt",
            *(f"{name}.json" for name in ("versions", "settings", "checks", "health", "queue", "leases")),
            *(f"{name}.json" for name in ("workers", "migrations", "errors", "tables")),
        }
        assert said["versions.json"]["packages"]["Django"] == said["versions.json"]["django"]
        assert connection.vendor in said["versions.json"]["database"]
        assert said["settings.json"]["LAAFFIC_ERROR_LIMIT"] == 10_000
        assert all(check["id"] for check in said["checks.json"])
        assert [part["name"] for part in said["health.json"]["parts"]][:3] == ["database", "queue", "worker"]
        assert [(one["kind"], one["held"]) for one in said["leases.json"]] == [("import", True)]
        assert said["workers.json"][0]["restarts"] == 4
        assert said["migrations.json"]["not applied"] == []
        assert said["errors.json"]["troubles"][0]["error"] == "OperationalError"
        assert "messaging_contact" in said["tables.json"]
        assert Lease.objects.exists()

    def test_a_part_that_fails_hides_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken() -> None:
            raise OSError("at /home/asha")

        broken.__name__ = "queue"
        monkeypatch.setattr(support_bundle, "queue", broken)

        said = opened(support_bundle.content())

        assert said["queue.json"] == {"failed": "OSError"}
        assert said["health.json"]["parts"]


class KindTests:
    """What the bundle does not know by name it calls "other", and that helps nobody."""

    def test_every_job_of_every_app_is_named(self) -> None:
        jobs = rung()
        assert {job.partition(".jobs")[0].rpartition(".")[2] for job in jobs} >= {"reports", "events", "notices"}

        assert [job for job in sorted(jobs) if support_bundle._job(job) != job] == []

    def test_every_lease_is_named(self) -> None:
        constants = {name: value for path in SOURCES for name, value in CONSTANT.findall(path.read_text())}
        taken = [given for path in SOURCES for given in LEASE.findall(path.read_text())]
        names = [literal or constants.get(name, "") for literal, name in taken]
        names += [value for path in SOURCES for value in OWN_LEASE.findall(path.read_text())]
        names += [f"{copies.lease} x" for copies in (number_lists.COPIES, voice_lists.COPIES)]
        filled = {re.sub(r"\{[^}]*\}", "12", name) for name in names if name and not name.startswith("{")}
        assert len(filled) > 25

        assert [name for name in sorted(filled) if support_bundle._kind(name, support_bundle.LEASES) == "other"] == []
        described = (ROOT / "docs/mechanisms/leases.md").read_text()
        assert [kind for kind in support_bundle.LEASES if f"`{kind}" not in described] == []

    def test_every_trouble_is_named(self) -> None:
        written = [*test_trouble_names.names(), *("webhook 1", "drift of campaign 1")]
        steps = ["messaging.services.campaigns.asking_back.ask_waiting", "laaffic_console.exporting.jobs.sweep"]

        assert [name for name in written if support_bundle._trouble(name) == "other"] == []
        assert [support_bundle._trouble(step) for step in steps] == steps
        assert support_bundle._trouble("messaging.services.asha.rao") == "other"


class PermissionTests:
    def test_the_button_and_the_file(self, admin_client: Client) -> None:
        assert "support-bundle/" in admin_client.get("/admin/health/").content.decode()

        answer = admin_client.get("/admin/health/support-bundle/")

        assert answer["Content-Type"] == "application/zip"
        assert answer["Content-Disposition"].startswith('attachment; filename="support-20')
        assert "versions.json" in opened(answer.content)

    def test_who_may_only_look_gets_none(self, client: Client) -> None:
        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_workerheartbeat"))
        client.force_login(viewer)

        assert "support-bundle/" not in client.get("/admin/health/").content.decode()
        assert client.get("/admin/health/support-bundle/").status_code == 403

    def test_the_command(self, tmp_path: Path, capsys: Any) -> None:
        call_command("support_bundle", str(tmp_path / "s.zip"))

        assert "versions.json" in opened((tmp_path / "s.zip").read_bytes())
        assert "nothing about a person" in capsys.readouterr().out
        with pytest.raises(CommandError, match="There is no folder"):
            call_command("support_bundle", str(tmp_path / "none" / "s.zip"))
