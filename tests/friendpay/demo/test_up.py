"""bin/up: what it says when it will not start, what it keeps and clears away. tests/browser starts it for real."""

import fcntl
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from friendpay.demo import bootstrap, options, up
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]


def start(*arguments: object, **environment: str) -> tuple[int, str]:
    """Run bin/up, which is expected to give up; its exit code and its one line."""
    command = [sys.executable, str(ROOT / "bin" / "up"), *map(str, arguments)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False
    )
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.fixture
def venv() -> None:
    """These run in the virtual environment, and would install into it elsewhere."""
    if not bootstrap.ready("requirements.txt"):
        pytest.skip("the virtual environment was not made by bin/test")


pytestmark = [pytest.mark.proof, pytest.mark.usefixtures("venv")]


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, line = start("--port", port, "--data", tmp_path / "data")
    assert code == 1
    assert line == f"friendpay: port {port} is taken by another program. Choose another one with --port.\n"
    assert not (tmp_path / "data" / "postgres").exists()


def test_a_second_start_on_the_same_data_is_told_where_the_first_is(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as first:
        json.dump({"pid": 4711, "address": "http://127.0.0.1:8123"}, first)
        first.flush()
        fcntl.flock(first, fcntl.LOCK_EX)
        code, line = start("--data", tmp_path)
    assert code == 1
    assert line.startswith(f"friendpay: already running on {tmp_path}: http://127.0.0.1:8123 (process 4711).")
    assert line.count("\n") == 1


@pytest.mark.parametrize("host", ["8.8.8.8", "pay.example", "2606:4700::1"])
def test_the_demo_is_not_for_everybody(host: str, tmp_path: Path) -> None:
    code, line = start("--host", host, "--data", tmp_path / "data")
    assert code == 1
    assert "a demo lets everybody in" in line


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "8e3"])
def test_what_is_no_port_is_refused(port: str) -> None:
    code, line = start("--port", port)
    assert code == 2
    assert "is not a port" in line or "expected one argument" in line


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, line = start("--data", tmp_path / "file" / "data")
    assert code == 1
    assert "cannot be written" in line
    assert "--data" in line


def test_a_demo_key_has_to_look_like_one(tmp_path: Path) -> None:
    code, line = start("--port", free_port(), "--data", tmp_path / "data", FRIENDPAY_DEMO_KEY="sk_live_x")
    assert code == 1
    assert "sk_test_" in line


def test_secrets_are_made_once_and_are_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRIENDPAY_DEMO_KEY", raising=False)
    first = up._kept(tmp_path)
    assert up._kept(tmp_path) == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("FRIENDPAY_DEMO_KEY", "sk_test_mine")
    assert up._kept(tmp_path) == {**first, "FRIENDPAY_DEMO_KEY": "sk_test_mine"}
    monkeypatch.delenv("FRIENDPAY_DEMO_KEY")
    assert up._kept(tmp_path) == first


def test_a_folder_of_an_earlier_version_keeps_its_secrets_and_gets_the_new_one(tmp_path: Path) -> None:
    earlier = up._kept(tmp_path)
    del earlier["VAPID_PRIVATE_KEY"]
    (tmp_path / "secrets.json").write_text(json.dumps(earlier))
    now = up._kept(tmp_path)
    assert now == earlier | {"VAPID_PRIVATE_KEY": now["VAPID_PRIVATE_KEY"]}
    assert up._kept(tmp_path) == now


def test_what_an_earlier_start_left_behind_is_ended_and_nothing_else(tmp_path: Path) -> None:
    def sleeper(data: Path) -> psutil.Popen:
        return psutil.Popen(
            [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"],
            env={**os.environ, "FRIENDPAY_DATA": str(data)},
            stdout=subprocess.PIPE,
        )

    left, other = sleeper(tmp_path / "ours"), sleeper(tmp_path / "theirs")
    assert left.stdout.readline() == other.stdout.readline() == b"up\n"
    up.end_leftovers(tmp_path / "ours")
    assert left.wait(60) != 0
    assert other.is_running()
    assert other.status() != psutil.STATUS_ZOMBIE
    other.kill()
    other.wait()


@pytest.mark.parametrize(
    ("address", "port", "url"),
    [
        ("127.0.0.1", 8000, "http://127.0.0.1:8000"),
        ("192.168.1.5", 80, "http://192.168.1.5"),
        ("::1", 8000, "http://[::1]:8000"),
        ("localhost", 8000, "http://localhost:8000"),
    ],
)
def test_an_address_reads_as_a_browser_wants_it(address: str, port: int, url: str) -> None:
    assert options.url(address, port) == url


def test_changed_requirements_are_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    (tmp_path / "requirements.txt").write_text("a==1\n")
    assert not bootstrap.ready("requirements.txt")
    bootstrap._stamp("requirements.txt").touch()
    assert bootstrap.ready("requirements.txt")
    (tmp_path / "requirements.txt").write_text("a==2\n")
    assert not bootstrap.ready("requirements.txt")
