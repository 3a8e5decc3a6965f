"""Whatever a setting holds, it is taken or refused in a sentence that names it; every entry ends with that sentence."""

import ast
import inspect
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from laaffic_console import environment
from laaffic_console.conf import BASE_DIR

PACKAGE = BASE_DIR / "laaffic_console"
READ_BY = [PACKAGE / name for name in ("settings.py", "conf.py", "web_server.py")]
UNLIKELY = [
    "lots",
    "-1",
    "nan",
    "1e999",
    "9e9",
    "9" * 5000,
    "https://[::1",
    "http://x:99999",
    "{",
    "=",
    "[1]",
    "é",
    "a,b",
]
# Readers that know what may be: the others take any text, or leave the rest to the system checks.
STRICT = {
    "whole",
    "number",
    "switch",
    "one_of",
    "time_zone",
    "amount",
    "limits",
    "token",
    "networks",
    "certificate",
    "listening",
}
SECRET = {"DATABASE_URL", "REDIS_URL", "EMAIL_URL", "DOSSIER_KEY", "LAAFFIC_METRICS_TOKEN"}


def readers() -> dict[str, str]:
    """Each setting, and what reads it: found in the code, so that a new one is tried too."""
    return {
        node.args[0].value: ast.unparse(node.func).rpartition(".")[2]
        for path in READ_BY
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if isinstance(node.args[0].value, str) and ast.unparse(node.func).startswith(("environment.", "conf."))
    }


# Those of the web server, which `check --deploy` reads too.
SERVED = {"CONSOLE_BIND": "listening", "WEB_CONCURRENCY": "whole", "CONSOLE_THREADS": "whole"}
READ = readers() | SERVED


def read_all(setting: str) -> None:
    """What the web server reads is read by it, and every other one by the settings."""
    is_served = setting in SERVED
    runpy.run_path(str(PACKAGE / ("web_server.py" if is_served else "settings.py")))


@pytest.fixture(autouse=True)
def as_if_nothing_were_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_IN_THREADS", "")  # web_server.py sets it
    monkeypatch.setenv("DATABASE_URL", "")  # some are of SQLite alone


class ReadTests:
    @pytest.mark.parametrize("setting", sorted(READ))
    def test_it_is_taken_or_refused_in_a_sentence(self, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
        for given in UNLIKELY:
            monkeypatch.setenv(setting, given)
            try:
                read_all(setting)
            except (ImproperlyConfigured, SystemExit) as problem:
                said = str(problem)
                assert said.startswith(setting)
                assert "\n" not in said
                if READ[setting] in STRICT and setting not in SECRET:
                    assert any(part in said for part in given.split(","))
            else:
                assert given != "lots" or READ[setting] not in STRICT

    @pytest.mark.parametrize("setting", sorted(READ))
    def test_an_empty_one_is_not_given(self, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
        monkeypatch.setenv(setting, "")

        read_all(setting)

    @pytest.mark.parametrize("setting", ["LAAFFIC_API_KEY", "LAAFFIC_API_SECRET", "OIDC_CLIENT_SECRET"])
    def test_what_a_copy_brings_along_is_no_part_of_it(self, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
        monkeypatch.setenv(setting, " s3cret\r\n")

        assert runpy.run_path(str(PACKAGE / "settings.py"))[setting] == "s3cret"

    def test_a_key_that_data_are_encrypted_with_stays_as_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_KEY", "k" * 50 + "\n")

        assert runpy.run_path(str(PACKAGE / "settings.py"))["SECRET_KEY"] == "k" * 50 + "\n"

    def test_the_web_servers_are_all_of_them(self) -> None:
        own = inspect.getsource(environment.web_server)

        assert {name: reader for reader, name in re.findall(r'(\w+)\("([A-Z_]+)"', own)} == SERVED

    def test_none_is_read_past_the_readers(self) -> None:
        past = {
            (path.name, ast.unparse(node))
            for path in READ_BY
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call | ast.Subscript)
            if ast.unparse(node).startswith(("os.environ", "os.getenv", "env.", "environ.Env("))
        }

        assert past == {("web_server.py", "os.environ['CONSOLE_IN_THREADS']")}  # it is set there
        assert len(READ) > 90

    @pytest.mark.parametrize(
        ("setting", "given", "what"),
        [
            ("LAAFFIC_WORKERS", "lots", "a whole number from 1 to 1000"),
            ("LAAFFIC_RECIPIENTS_PER_CALL", "1001", "a whole number from 1 to 1000"),
            ("LAAFFIC_WORKER_STALE_SECONDS", "6", "a number from 10 to 3600"),
            ("LAAFFIC_LEASE_SECONDS", "1", "a number from 5 to 3600"),
            ("LAAFFIC_UNDO_SECONDS", "60.5", "a number from 0 to 60"),
            ("DEBUG", "perhaps", "on or off"),
            ("TIME_ZONE", "Berlin", "a time zone such as Europe/Berlin"),
            ("LOG_LEVEL", "info", "one of INFO, DEBUG, WARNING, ERROR, CRITICAL"),
            ("CONSOLE_URL", "https://[::1", "an address such as https://console.example.com"),
            ("CONSOLE_THREADS", "0", "a whole number from 1 to 1000"),
            ("NUMBERS_SYNC_MINUTES", "5000000", "a whole number from 0 to 1000000"),
            ("VOICE_SYNC_MINUTES", "-1", "a whole number from 0 to 1000000"),
            ("LAAFFIC_ERROR_LIMIT", "9999999999", "a whole number from 0 to 1000000000"),
        ],
    )
    def test_it_says_what_may_be(self, monkeypatch: pytest.MonkeyPatch, setting: str, given: str, what: str) -> None:
        monkeypatch.setenv(setting, given)

        with pytest.raises((ImproperlyConfigured, SystemExit)) as refused:
            read_all(setting)
        assert str(refused.value) == f"{setting} is “{given}”. Give {what}."

    @pytest.mark.parametrize("setting", ["DATABASE_URL", "REDIS_URL"])
    def test_a_password_is_not_quoted(
        self, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder, setting: str
    ) -> None:
        for given in ("postgres://me:hush@host:lots/name", "mysql://me:hush@[/name"):
            monkeypatch.setenv(setting, given)

            with pytest.raises(ImproperlyConfigured, match=setting) as refused:
                read_all(setting)
            assert "hush" not in str(refused.value)
        assert not recwarn.list

    def test_the_folder_may_be_named_in_the_file(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("CONSOLE_VAR_DIR", "")  # put back when the test is over
        monkeypatch.setattr(environment, "read_file", lambda _file: os.environ.update(CONSOLE_VAR_DIR=str(tmp_path)))

        assert runpy.run_path(str(PACKAGE / "conf.py"))["VAR_DIR"] == tmp_path

    def test_a_folder_that_cannot_be(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("CONSOLE_VAR_DIR", str(tmp_path / "file" / "var"))

        with pytest.raises(ImproperlyConfigured, match=r"CONSOLE_VAR_DIR is “.*”\. Give a folder .*Not a directory"):
            runpy.run_path(str(PACKAGE / "conf.py"))


class FileTests:
    def test_what_it_says_counts_unless_the_environment_says_otherwise(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ONE", "1")
        monkeypatch.delenv("TWO", raising=False)
        file = tmp_path / ".env"
        file.write_bytes(b"\xef\xbb\xbfONE=2\n\n# a word\n  # another\nexport TWO='b c'\n")

        environment.read_file(file)

        assert (os.environ["ONE"], os.environ.pop("TWO")) == ("1", "b c")

    def test_blanks_behind_a_quoted_value_are_none_of_it(self, tmp_path: Path) -> None:
        file = tmp_path / ".env"
        file.write_bytes(b"THREE='b c' \t\nFOUR=\"it's\"\xc2\xa0\n")

        environment.read_file(file)

        assert (os.environ.pop("THREE"), os.environ.pop("FOUR")) == ("b c", "it's")

    def test_a_file_that_is_not_there_sets_nothing(self, tmp_path: Path) -> None:
        before = dict(os.environ)

        environment.read_file(tmp_path / ".env")

        assert dict(os.environ) == before

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"A=1\nLAAFFIC_API_SECRET = s3cret\n", "Line 2 of "),
            (b"  LAAFFIC_API_SECRET=s3cret\n", "Line 1 of "),
            (b"LAAFFIC_API_SECRET: s3cret\n", "Line 1 of "),
            (b"LAAFFIC_API_SECRET=s3cr\xe9t\n", "not UTF-8"),
            (b"LAAFFIC_API_SECRET='s3cret' # from Ann\n", "Line 1 of .*ends with its closing quote"),
            (b'LAAFFIC_API_SECRET="s3cret\n', "Line 1 of "),
            (b'LAAFFIC_API_SECRET="s3cret" # said "Ann"\n', "Line 1 of "),
        ],
    )
    def test_a_line_that_is_none_is_refused_and_not_quoted(self, tmp_path: Path, content: bytes, said: str) -> None:
        file = tmp_path / ".env"
        file.write_bytes(content)

        with pytest.raises(ImproperlyConfigured, match=said) as problem:
            environment.read_file(file)
        assert "s3cr" not in str(problem.value)

    def test_one_that_is_named_is_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONSOLE_ENV_FILE", str(tmp_path / "other.env"))
        with pytest.raises(
            ImproperlyConfigured, match=r"CONSOLE_ENV_FILE is “.*other\.env”\. Give a file that is there"
        ):
            runpy.run_path(str(PACKAGE / "conf.py"))

        (tmp_path / "other.env").touch()
        runpy.run_path(str(PACKAGE / "conf.py"))

    def test_one_that_may_not_be_read_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / ".env").mkdir()

        with pytest.raises(ImproperlyConfigured, match="cannot be read: Is a directory"):
            environment.read_file(tmp_path / ".env")


class EntryTests:
    @pytest.mark.parametrize(
        ("setting", "start", "code"),
        [
            ("LAAFFIC_WORKERS", ["manage.py", "migrate"], 1),
            ("LAAFFIC_WORKERS", ["-m", "laaffic_console", "worker"], 1),
            ("LAAFFIC_WORKERS", ["-m", "laaffic_console", "web"], 1),
            ("CONSOLE_THREADS", ["-m", "gunicorn"], 1),
            ("LAAFFIC_WORKERS", ["-c", "import laaffic_console.wsgi"], 3),  # gunicorn's own word for it
        ],
    )
    def test_it_ends_with_the_sentence(self, tmp_path: Path, setting: str, start: list[str], code: int) -> None:
        wrong = {"CONSOLE_VAR_DIR": str(tmp_path), "DATABASE_URL": "", "CONSOLE_BIND": "127.0.0.1:0", setting: "lots"}

        ended = subprocess.run(
            [sys.executable, *start],
            check=False,
            env={**os.environ, **wrong},
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
        )

        assert ended.returncode == code
        assert ended.stderr.splitlines()[-1] == f"{setting} is “lots”. Give a whole number from 1 to 1000."
        assert "Traceback" not in ended.stderr

    @pytest.mark.parametrize(
        "good", ["0.0.0.0:80", "[::1]:8000", ":8000", "unix:/run/console.sock", "fd://3", "a:1,b:2"]
    )
    def test_an_address_to_listen_on(self, monkeypatch: pytest.MonkeyPatch, good: str) -> None:
        monkeypatch.setenv("CONSOLE_BIND", good)

        assert environment.listening("CONSOLE_BIND", "") == good

    @pytest.mark.parametrize("wrong", [":99999", "127.0.0.1:99999", "http://127.0.0.1", "127.0.0.1", "x:port", "unix:"])
    def test_one_that_gunicorn_would_make_a_trace_of(self, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
        monkeypatch.setenv("CONSOLE_BIND", "")
        monkeypatch.setattr(os, "execv", lambda *given: pytest.fail("gunicorn is started"))
        monkeypatch.delitem(sys.modules, "laaffic_console.web_server", raising=False)
        monkeypatch.delattr("laaffic_console.web_server", raising=False)

        with pytest.raises(SystemExit, match=re.escape(f"CONSOLE_BIND is “{wrong}”. Give host:port")):
            call_command("web", bind=wrong, skip_checks=True)

    def test_the_web_command_asks_before_gunicorn_does(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WEB_CONCURRENCY", "lots")
        monkeypatch.setattr(os, "execv", lambda *given: pytest.fail("gunicorn is started"))
        monkeypatch.delitem(sys.modules, "laaffic_console.web_server", raising=False)
        monkeypatch.delattr("laaffic_console.web_server", raising=False)

        with pytest.raises(SystemExit, match="WEB_CONCURRENCY is “lots”"):
            call_command("web", skip_checks=True)
