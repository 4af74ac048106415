"""`manage.py up` with real processes, signals and messages."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from invoicing_site.management.commands import up
from tests.running import ROOT, environment, eventually, free_port, get, python, running

pytestmark = pytest.mark.slow
SITE = ("-m", "tests.worker_site")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    """A database with its tables, for the messages."""
    folder = tmp_path_factory.mktemp("migrated")
    done = python("manage.py", "migrate", "--noinput", "--verbosity", "0", env=environment(folder))
    assert done.returncode == 0, done.stderr
    return folder / "ledgerline.sqlite3"


@pytest.fixture
def port(migrated, tmp_path):
    shutil.copy(migrated, tmp_path)
    return free_port()


def press(port, folder):
    """Request one task; returns (process, thread) of the page and of the task."""
    file = folder / "answer"
    page = get(f"http://127.0.0.1:{port}/press/?file={file}")
    task = eventually(file.read_text)
    file.unlink()
    return page.split(" ", 1), task.split(" ", 1)


@pytest.mark.sqlite
def test_one_command_serves_and_does_its_tasks_in_the_same_process(tmp_path, port):
    with running(*SITE, "up", "--port", str(port), env=environment(tmp_path), log=tmp_path / "log") as server:
        get(f"http://127.0.0.1:{port}/health/")
        eventually(lambda: "Connected to memory" in (tmp_path / "log").read_text())

        page, task = eventually(lambda: answered_by_the_worker(press(port, tmp_path)))
        assert page[0] == task[0] != str(server.pid)
        eventually(lambda: all_works(port))

        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.glob("celerybeat-schedule*")), "the clock left its schedule"
    assert "Traceback" not in (tmp_path / "log").read_text()


def all_works(port):
    """Clock and worker send a heartbeat when they start."""
    found = json.loads(get(f"http://127.0.0.1:{port}/health/"))
    return found == {
        "database": "up",
        "files": "up",
        "broker": "up",
        "clock": "up",
        "worker": "up",
        "problems": [],
    }


def answered_by_the_worker(answers):
    """Until the worker is ready, the page runs the task itself, in its own thread."""
    page, task = answers
    return answers if page != task else None


@pytest.mark.sqlite
def test_a_long_address_is_read_and_a_longer_one_gets_our_error_page(tmp_path, port):
    """The address of a list with many filters can have more than 4,094 bytes, gunicorn's default limit."""
    with running("manage.py", "up", "--port", str(port), env=environment(tmp_path), log=tmp_path / "log"):
        get(f"http://127.0.0.1:{port}/health/")
        fits = urllib.request.urlopen(f"http://127.0.0.1:{port}/health/?{'q' * 8000}", timeout=10)
        assert fits.status == 200
        for length in (8300, 200_000):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/?{'q' * length}", timeout=10)
            page = refused.value.read().decode()
            assert refused.value.status == 414
            assert "<h1>This address is too long</h1>" in page
            assert refused.value.headers["Content-Security-Policy"] == "default-src 'self'"


@pytest.mark.sqlite
def test_ctrl_c_stops_it_cleanly(tmp_path, port):
    command = [sys.executable, "manage.py", "up", "--port", str(port)]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment(tmp_path), stdout=log, stderr=log, start_new_session=True
        )
    try:
        get(f"http://127.0.0.1:{port}/health/")
        os.killpg(server.pid, signal.SIGINT)  # a terminal sends it to every process of the group
        assert server.wait(60) == 0
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.sqlite
def test_a_web_process_that_dies_is_restarted_with_its_worker(tmp_path, port):
    with running(*SITE, "up", "--port", str(port), env=environment(tmp_path), log=tmp_path / "log"):
        first, _ = eventually(lambda: answered_by_the_worker(press(port, tmp_path)))
        os.kill(int(first[0]), signal.SIGKILL)

        again, task = eventually(lambda: answered_by_the_worker(press(port, tmp_path)))
        assert again[0] == task[0] != first[0]


@pytest.mark.redis
def test_with_a_real_broker_a_worker_can_run_in_the_web_process_too(tmp_path, port):
    env = environment(tmp_path, CELERY_BROKER_URL=settings.TEST_REDIS_URL)
    arguments = (*SITE, "up", "--with-worker", "--port", str(port))
    with running(*arguments, env=env, log=tmp_path / "log") as server:
        page, task = press(port, tmp_path)
        assert page[0] == task[0]
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0


@pytest.mark.redis
def test_with_a_real_broker_separate_workers_do_the_work(tmp_path, port):
    env = environment(tmp_path, CELERY_BROKER_URL=settings.TEST_REDIS_URL)
    worker = ("-m", "celery", "--app", "invoicing_site", "worker", "--concurrency", "1")
    with (
        running(*SITE, "up", "--port", str(port), env=env, log=tmp_path / "web.log"),
        running(*worker, "--include", "tests.worker_site", env=env, log=tmp_path / "worker.log") as process,
    ):
        page, task = press(port, tmp_path)
        assert page[0] != task[0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.mark.redis
def test_web_processes_share_their_metrics_and_delete_them(tmp_path, port):
    token = "only-for-tests-0123456789abcdef0123456789"
    env = environment(
        tmp_path,
        CELERY_BROKER_URL=settings.TEST_REDIS_URL,
        LEDGERLINE_METRICS_TOKEN=token,
        TMPDIR=str(tmp_path),
    )
    arguments = ("manage.py", "up", "--workers", "2", "--port", str(port))

    def counted():
        ask = urllib.request.Request(
            f"http://127.0.0.1:{port}/metrics/", headers={"Authorization": f"Bearer {token}"}
        )
        lines = urllib.request.urlopen(ask, timeout=10).read().decode().splitlines()
        name = "django_http_responses_total_by_status_view_method_total"
        return [line.rsplit(" ", 1)[1] for line in lines if line.startswith(name) and 'view="login"' in line]

    with running(*arguments, env=env, log=tmp_path / "log") as server:
        get(f"http://127.0.0.1:{port}/health/")
        (folder,) = tmp_path.glob("ledgerline-metrics-*")
        eventually(lambda: len(list(folder.glob("counter_*.db"))) == 2)
        for _ in range(6):
            get(f"http://127.0.0.1:{port}/sign-in/")
        assert [counted() for _ in range(6)] == [["6.0"]] * 6
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    assert not folder.exists()


@pytest.mark.redis
def test_a_broker_that_is_down_delays_pages_only_briefly(tmp_path, port):
    env = environment(tmp_path, CELERY_BROKER_URL=f"redis://127.0.0.1:{free_port()}/0")
    with running(*SITE, "up", "--port", str(port), env=env, log=tmp_path / "log"):
        assert get(f"http://127.0.0.1:{port}/press/?file={tmp_path}/never", within=30)
        eventually(lambda: "The next sweep runs it" in (tmp_path / "log").read_text())


@pytest.mark.django_db
def test_worker_and_clock_fit_one_web_process_only():
    with pytest.raises(CommandError, match="one web process only"):
        call_command("up", workers=2)


@pytest.mark.django_db
def test_the_demo_company_is_not_loaded_in_production(monkeypatch, settings):
    """A new production database is empty too, but `up --demo` does not load the demo there."""
    settings.PRODUCTION = True
    monkeypatch.setattr(up, "get_commands", lambda: {"demo": "invoicing_site"})
    with pytest.raises(CommandError, match="can't be loaded in production"):
        call_command("up", demo=True)


@pytest.mark.django_db
def test_the_demo_company_is_loaded_into_an_empty_database_only(monkeypatch, django_user_model):
    loaded = []
    monkeypatch.setattr(up, "get_commands", lambda: {"demo": "invoicing_site"})
    monkeypatch.setattr(up, "call_command", lambda name, **_: loaded.append(name))
    up.Command()._load_demo()
    django_user_model.objects.create(username="ada")
    up.Command()._load_demo()
    assert loaded == ["demo"]
