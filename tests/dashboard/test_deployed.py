"""What `check --deploy` says with the documented settings, what browsers are told, and what `ps` shows."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from laaffic_console.api import urls
from laaffic_console.conf import BASE_DIR, PACKAGE_DIR
from tests.dashboard import proxies

DOCUMENTED = {
    "SECRET_KEY": "x7" * 30 + "-_abcdefghij",
    "CONSOLE_URL": "https://console.example.com",
    "ALLOWED_HOSTS": "console.example.com",
    "BEHIND_TLS_PROXY": "on",
    "TRUSTED_PROXIES": "127.0.0.1",
    "LAAFFIC_API_KEY": "key",
    "LAAFFIC_API_SECRET": "secret",
    "LAAFFIC_PUSH_TOKENS": "a-token-that-nobody-guesses",
    "SECURE_SSL_REDIRECT": "on",
    "SECURE_HSTS_SECONDS": "31536000",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": "on",
    "SECURE_HSTS_PRELOAD": "on",
}


def test_the_documented_settings_leave_no_warning(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "CONSOLE_VAR_DIR": str(tmp_path), **DOCUMENTED}

    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=environment,
        cwd=BASE_DIR,
        capture_output=True,
        check=False,
        text=True,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.django_db
@pytest.mark.parametrize(("page", "codes"), [("/healthz", {200}), ("/readyz", {200, 503}), ("/admin/login/", {400})])
def test_a_container_is_asked_how_it_is_by_its_own_address(
    client: Client, settings: LazySettings, page: str, codes: set[int]
) -> None:
    settings.ALLOWED_HOSTS = ["console.example.com"]

    assert client.get(page, HTTP_HOST="127.0.0.1:8000").status_code in codes


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/healthz", "/admin/login/", "/nothing/here"])
def test_browsers_lend_the_console_no_camera(client: Client, page: str) -> None:
    told = client.get(page)["Permissions-Policy"]

    assert {"camera=()", "microphone=()", "geolocation=()"} <= set(told.split(", "))


def test_every_file_that_the_api_takes_gets_past_the_proxies() -> None:
    """Those of pages are looked at where all of them are drawn, in test_doors.py."""
    takes_file = [one for one in urls.urlpatterns if getattr(_view_class(one), "takes_file", False)]
    assert len(takes_file) > 4

    for one in takes_file:
        address = f"/api/{one.pattern}".replace("<int:pk>", "7")
        assert proxies.stopped(address) == [], address


def _view_class(pattern: Any) -> Any:
    return getattr(pattern.callback, "view_class", None)


def test_the_demos_token_is_in_no_argument() -> None:
    source = (PACKAGE_DIR / "demo" / "processes.py").read_text()

    assert "--callback" not in source
    assert 'SANDBOX_CALLBACK": f"{hooks}' in source
