"""What `./run` says while it sets itself up: the user knows how long it takes."""

import shutil
import subprocess

import pytest
from django.conf import settings

# Replaces Python: makes the environment, and succeeds with everything else.
_PYTHON = """#!/bin/sh
case "$*" in *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;; esac
"""


@pytest.fixture
def start(tmp_path):
    for name in ("run", "requirements.lock"):
        shutil.copy(settings.BASE_DIR / name, tmp_path / name)
    python = tmp_path / "python"
    python.write_text(_PYTHON)
    python.chmod(0o755)

    def run():
        done = subprocess.run(
            ["sh", "run"],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHON": str(python)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stderr.splitlines()

    return run


def test_the_first_start_shows_its_duration_and_its_steps(start):
    first = start()
    assert "one to three minutes" in first[0]
    for line, words in zip(first[1:], (".venv", "packages", "PDF", "database"), strict=True):
        assert words in line
    assert start() == ["run: updating the database"]


def test_the_readme_names_the_duration_too():
    assert "one to three minutes" in (settings.BASE_DIR / "README.md").read_text()
