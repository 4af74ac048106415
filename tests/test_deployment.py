"""The files for installation agree with each other and with the code."""

import json
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from django.core.management import load_command_class
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests import run
from tests.running import PRODUCTION, ROOT, environment, python

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = {"requirements.lock": None, "requirements-s3.lock": "s3", "requirements-test.lock": "test"}
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = ("web", "worker", "worker-short", "beat", "migrate")
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def locked(name):
    pins = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / name).read_text(), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in pins}


# Locks


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_locked_at_a_version_it_allows(lock):
    required = list(PROJECT["dependencies"])
    if LOCKS[lock]:
        required += PROJECT["optional-dependencies"][LOCKS[lock]]
    pins = locked(lock)
    for requirement in map(Requirement, required):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_tests_and_production_use_the_same_versions():
    base, s3, test = map(locked, LOCKS)
    assert base.items() <= s3.items() <= test.items()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_no_index_address(lock):
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host|file:|@ ", text)
    assert not re.search(r"^\s*#.*(^|\s)/", text, re.MULTILINE)
    for block in re.split(r"\n(?=[a-z])", text.strip()):
        if not block.startswith("#"):
            assert "--hash=sha256:" in block, block


# The run script


@pytest.mark.parametrize("shell", [shell for shell in ("sh", "dash", "busybox") if shutil.which(shell)])
def test_run_is_plain_sh(shell):
    command = [shell, "sh", "-n", "run"] if shell == "busybox" else [shell, "-n", "run"]
    subprocess.run(command, cwd=ROOT, check=True)
    assert (ROOT / "run").read_text().startswith("#!/bin/sh\n")


@pytest.mark.parametrize("script", ["run", ".ci/run", "manage.py"])
def test_scripts_can_be_executed(script):
    assert (ROOT / script).stat().st_mode & 0o111


def test_the_summary_names_skipped_tests(monkeypatch, capsys):
    monkeypatch.delenv("CI", raising=False)
    assert run.conclude([], ["Redis: no server"], nothing_ran=False) == 0
    assert "!!! LEFT OUT" in capsys.readouterr().out

    monkeypatch.setenv("CI", "true")
    assert run.conclude([], ["Redis: no server"], nothing_ran=False) == 1
    assert run.conclude([], [], nothing_ran=False) == 0


def test_a_failure_on_one_database_is_a_failure(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    assert run.conclude(["SQLite"], [], nothing_ran=False) == 1
    assert run.conclude([], [], nothing_ran=True) == 5


def test_browser_tests_have_a_run_of_their_own():
    others, login = "tests/test_deployment.py::test_run_is_plain_sh", "tests/browser/test_login.py"
    assert run.split(["-k", "login"]) == [
        ["-k", "login", "--migrations", "--ignore=tests/browser"],
        ["-k", "login", "tests/browser"],
    ]
    assert run.split(["-q", login]) == [[], ["-q", login]]
    assert run.split([others]) == [[others], []]
    assert run.split([others, login]) == [[others], [login]]


def test_coverage_is_summed_by_room_and_rounded_down():
    files = {"ledger/tax.py": (1999, 2000), "ledger/books/plan.py": (0, 0), "actuals/models.py": (3, 4)}
    rooms = run.by_room(files)
    assert rooms == [("actuals", 3, 4), ("ledger", 1999, 2000), ("all", 2002, 2004)]
    assert run.table(rooms).splitlines()[2:] == [
        "actuals          75.0 % of      4 lines",
        "ledger           99.9 % of  2,000 lines",
        "all              99.9 % of  2,004 lines",
    ]


@pytest.mark.slow
def test_coverage_adds_up_over_processes(tmp_path):
    """Two processes, as a run has them: what either runs counts once."""
    measuring = run.Measuring()
    env = {**environment(tmp_path), **measuring.environment}
    for name in ("test_money.py", "test_days.py"):
        arguments = [*measuring.command, "-q", f"tests/invoicing_site/{name}"]
        assert python(*arguments, env=env).returncode == 0
    rooms = {room: (ran, lines) for room, ran, lines in measuring.report()}
    assert set(rooms) == {"actuals", "backlog", "contracts", "invoicing_site", "ledger", "proforma", "all"}
    ran, lines = rooms["all"]
    assert 0 < ran < lines
    assert ran == sum(ran for room, (ran, _) in rooms.items() if room != "all")


# Containers


def test_compose_follows_the_compose_specification():
    schema = json.loads((ROOT / "tests/schemas/compose-spec.json").read_text())
    validator = validator_for(schema, default=Draft202012Validator)
    validator.check_schema(schema)
    problems = [f"{error.json_path}: {error.message}" for error in validator(schema).iter_errors(COMPOSE)]
    assert problems == []


def test_the_schema_finds_a_mistake():
    schema = json.loads((ROOT / "tests/schemas/compose-spec.json").read_text())
    wrong = {"services": {"web": {"comand": ["x"]}}}
    assert list(validator_for(schema, default=Draft202012Validator)(schema).iter_errors(wrong))


def test_no_secret_has_a_default():
    """Compose stops with a sentence if a secret is missing; the file itself contains none."""
    text = (ROOT / "docker-compose.yml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "ALLOWED_HOSTS"):
        uses = re.findall(r"\$\{" + name + r"\b(.*?)\}", text)
        assert uses
        assert all(use.startswith(":?") for use in uses), name


@pytest.mark.parametrize("name", OURS)
def test_our_services_get_all_settings_that_production_requires(name):
    service = COMPOSE["services"][name]
    assert PRODUCTION.keys() - service["environment"].keys() == {"LEDGERLINE_PRODUCTION"}
    assert "LEDGERLINE_PRODUCTION=1" in DOCKERFILE
    assert "data:/data" in service["volumes"]
    assert "LEDGERLINE_DATA=/data" in DOCKERFILE


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_services_wait_for_their_dependencies_and_restart(name):
    services = COMPOSE["services"]
    for other, how in services[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "test" in services[other]["healthcheck"]
        else:
            assert (how["condition"], services[other]["restart"]) == ("service_completed_successfully", "no")
    if name != "migrate":
        assert services[name]["restart"] == "unless-stopped"


def test_only_the_web_service_is_published_on_loopback():
    published = {name: s["ports"] for name, s in COMPOSE["services"].items() if "ports" in s}
    assert published == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


def test_servers_are_of_versions_we_support():
    _, version = COMPOSE["services"]["database"]["image"].split(":")
    assert int(version) >= 15


def substituted(word):
    return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", word)


@pytest.mark.parametrize(
    "command",
    [
        COMPOSE["services"]["web"]["command"],
        json.loads(re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)[-1]),
    ],
)
def test_the_web_command_is_valid(command):
    python_, manage, name, *arguments = map(substituted, command)
    assert (python_, manage, name) == ("python", "manage.py", "up")
    options = load_command_class("invoicing_site", "up").create_parser(manage, name).parse_args(arguments)
    assert (options.host, options.port, options.workers) == ("0.0.0.0", 8000, 3)


@pytest.mark.parametrize("name", ["worker", "worker-short", "beat"])
def test_the_celery_commands_are_valid(name, tmp_path):
    program, *arguments = map(substituted, COMPOSE["services"][name]["command"])
    assert program == "celery"
    result = python("-m", "celery", *arguments, "--help", env=environment(tmp_path, **PRODUCTION))
    assert result.returncode == 0, result.stderr


def test_the_image_has_a_supported_python():
    (version,) = re.findall(r"^FROM python:([\d.]+)-slim$", DOCKERFILE, re.MULTILINE)
    assert SpecifierSet(PROJECT["requires-python"]).contains(version)
    assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]


def test_the_image_and_the_run_script_install_the_same_libraries():
    (in_run,) = re.findall(r"apt_install (libpango\S+ [^|]+?) \|\|", (ROOT / "run").read_text())
    assert set(in_run.split()) <= set(DOCKERFILE.split())


def test_the_image_installs_a_lock_that_is_there():
    assert re.findall(r"^ARG LOCK=(.*)$", DOCKERFILE, re.MULTILINE) == ["requirements.lock"]
    assert re.findall(r"LOCK: ([\w.-]+)}", (ROOT / "docker-compose.yml").read_text()) == [
        "requirements-s3.lock"
    ]


def test_the_image_does_not_run_as_root():
    assert "\nUSER ledgerline\n" in DOCKERFILE
    assert DOCKERFILE.index("\nUSER ") < DOCKERFILE.index("\nCMD ")


@pytest.mark.slow
def test_static_files_are_collected_as_the_image_does_it(tmp_path):
    """It also shows that every file in a stylesheet exists; otherwise the manifest is refused."""
    (step,) = re.findall(r"^RUN (SECRET_KEY=.*?collectstatic.*?)$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    variables = dict(word.split("=", 1) for word in step.split() if re.match(r"[A-Z_]+=", word))
    arguments = step.split("manage.py", 1)[1].split()
    static = tmp_path / "static"
    env = environment(tmp_path, LEDGERLINE_PRODUCTION="1", LEDGERLINE_STATIC=str(static), **variables)

    result = python("manage.py", *arguments, env=env)

    assert result.returncode == 0, result.stderr
    manifest = json.loads((static / "staticfiles.json").read_text())["paths"]
    assert (static / manifest["admin/css/base.css"]).with_suffix(".css.gz").exists()


def test_this_python_is_supported():
    assert SpecifierSet(PROJECT["requires-python"]).contains("{}.{}".format(*sys.version_info[:2]))
