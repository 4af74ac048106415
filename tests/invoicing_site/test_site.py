"""The site: redirects, security headers, and settings."""

import json
import logging
import re
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from invoicing_site import logs, settings
from invoicing_site.logs import JsonLines
from tests.running import PRODUCTION, environment, python


def test_a_wrong_host_is_a_warning_and_no_error(client, caplog):
    answer = client.get("/sign-in/", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    (record,) = [record for record in caplog.records if record.name == "django.security.DisallowedHost"]
    assert logs.FaultsOfClients().filter(record)
    assert record.levelname == "WARNING"
    assert settings.LOGGING["handlers"]["stderr"]["filters"] == ["faults of clients"]


def test_a_visitor_is_redirected_to_the_sign_in(client):
    assert client.get("/").headers["Location"] == "/sign-in/?next=/"


def test_pages_load_our_own_files_only(client):
    policy = client.get("/").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_only_the_admin_allows_eval(admin_client):
    policy = admin_client.get("/admin/").headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in policy
    assert "default-src 'self';" in policy
    for address in ("/sign-in/", "/password/", "/administrators/", "/nowhere/admin/"):
        assert "unsafe" not in admin_client.get(address).headers["Content-Security-Policy"]


@pytest.mark.django_db
def test_pages_have_security_headers(client):
    headers = client.get("/sign-in/").headers
    expected = {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }
    assert {name: headers.get(name) for name in expected} == expected
    assert "no-store" in headers["Cache-Control"]


@pytest.mark.django_db
def test_the_session_is_kept_from_scripts_and_other_sites(client, admin_user):
    client.post("/sign-in/", {"username": "admin", "password": "password"})
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 14 * 24 * 60 * 60)


@pytest.mark.parametrize(
    ("broker", "cache"),
    [
        ("", "LocMemCache -"),
        ("redis://h/0", "RedisCache redis://h/1"),
        ("redis://h", "RedisCache redis://h/1"),
        ("rediss://:p%40@h:1/7?ssl_cert_reqs=none", "RedisCache rediss://:p%40@h:1/8?ssl_cert_reqs=none"),
    ],
)
def test_the_cache_is_shared_between_processes(tmp_path, broker, cache):
    """And it is not in the database of the broker, so that emptying it loses no messages."""
    code = "from invoicing_site.settings import CACHES; c = CACHES['default']; "
    code += "print(c['BACKEND'].rpartition('.')[2], c.get('LOCATION', '-'))"
    result = python("-c", code, env=environment(tmp_path, CELERY_BROKER_URL=broker))
    assert result.stdout.strip() == cache


@pytest.mark.parametrize(
    ("variables", "proxies"), [({}, 0), (PRODUCTION, 1), ({"LEDGERLINE_PROXIES": "2"}, 2)]
)
def test_production_reads_the_number_of_proxies(tmp_path, variables, proxies):
    code = "import invoicing_site.settings as s; print(s.LEDGERLINE_PROXIES)"
    result = python("-c", code, env=environment(tmp_path, **variables))
    assert result.stdout.strip() == str(proxies)


@pytest.mark.sqlite
@pytest.mark.django_db
def test_sqlite_has_strict_settings_and_a_timeout():
    with connection.cursor() as cursor:
        pragmas = {}
        for name in ("foreign_keys", "recursive_triggers", "journal_mode", "synchronous", "busy_timeout"):
            cursor.execute(f"PRAGMA {name}")
            (pragmas[name],) = cursor.fetchone()
    assert pragmas == {
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "journal_mode": "wal",
        "synchronous": 1,
        "busy_timeout": 30_000,
    }
    assert connection.transaction_mode == "IMMEDIATE"
    assert not connection.is_in_memory_db()


def test_a_database_address_is_read_in_full():
    url = "postgres://an%40na:p%2Fw@db.example:6432/the%20books?sslmode=require"
    found = settings._postgresql(url)
    expected = ("an@na", "p/w", "db.example", "6432", "the books")
    assert tuple(found[k] for k in ("USER", "PASSWORD", "HOST", "PORT", "NAME")) == expected
    assert found["OPTIONS"] == {"sslmode": "require", "options": "-c jit=off"}


def test_a_database_address_can_have_other_options():
    found = settings._postgresql("postgres://u@h/n?options=-c%20jit%3Don")
    assert found["OPTIONS"] == {"options": "-c jit=on"}


@pytest.mark.postgres
@pytest.mark.django_db
def test_postgresql_does_not_compile_statements():
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


@pytest.mark.parametrize("url", ["mysql://u@h/n", "postgres://u@h", "postgres://u@h/", "ledgerline"])
def test_an_address_of_another_kind_is_refused(url):
    with pytest.raises(ImproperlyConfigured, match="must have the form postgres://"):
        settings._postgresql(url)


def test_the_stored_key_is_made_once_and_is_private(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "DATA", tmp_path)
    key = settings._kept_secret_key()
    assert len(key) >= 50
    assert settings._kept_secret_key() == key
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_production_passes_djangos_deployment_checks(tmp_path):
    env = environment(tmp_path, **PRODUCTION)
    result = python("manage.py", "check", "--deploy", "--fail-level", "DEBUG", env=env)
    assert result.returncode == 0, result.stderr
    assert "no issues (0 silenced)" in result.stdout


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SECRET_KEY": ""}, "so SECRET_KEY must be set as well"),
        ({"SECRET_KEY": "x" * 60}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY": "changeme"}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY_FALLBACKS": "changeme"}, "SECRET_KEY_FALLBACKS can be guessed"),
        ({"ALLOWED_HOSTS": ""}, "so ALLOWED_HOSTS must be set as well"),
        ({"DATABASE_URL": ""}, "so DATABASE_URL must be set as well"),
        ({"CELERY_BROKER_URL": ""}, "so CELERY_BROKER_URL must name a broker"),
        ({"DEBUG": "1"}, "DEBUG shows secrets"),
        ({"LEDGERLINE_PRODUCTION": "maybe"}, "LEDGERLINE_PRODUCTION is 'maybe'; it can be 1 or 0"),
    ],
)
def test_production_does_not_start_with_missing_settings(tmp_path, change, sentence):
    result = python("-c", "import invoicing_site.settings", env=environment(tmp_path, **PRODUCTION | change))
    assert result.returncode != 0
    assert sentence in result.stderr


def test_production_logs_one_object_a_line():
    try:
        raise ValueError("not\nhere")
    except ValueError:
        record = logging.LogRecord("ledger", logging.ERROR, "f.py", 1, "lost %s", ("å\n",), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    record = json.loads(line)
    assert (record["level"], record["logger"], record["message"]) == ("ERROR", "ledger", "lost å\n")
    assert record["exception"].endswith("ValueError: not\nhere")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+\+00:00", record["time"])
