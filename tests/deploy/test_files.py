"""Units and container files: as far as they can be checked without systemd at work and without a container."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from friendpay.connections import options
from tests.deploy.stand import DEPLOY, ROOT

UNITS = sorted((DEPLOY / "systemd").iterdir())
OTHERS = sorted((DEPLOY / "patroni").glob("*.service"))
COMPOSE = DEPLOY / "docker" / "compose.yaml"


def queues(command: str) -> dict[str, str]:
    """What makes a worker the one it is."""
    return dict(re.findall(r"--(queues|concurrency|pool) (\w+)", command))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for unit in (*UNITS, *OTHERS):
        text = (
            unit.read_text().replace("/srv/friendpay/.venv", str(ROOT / ".venv")).replace("/srv/friendpay", str(ROOT))
        )
        (tmp_path / unit.name).write_text(text)
    names = [str(tmp_path / unit.name.replace("@.", "@1.")) for unit in (*UNITS, *OTHERS)]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    ours = [line for line in done.stderr.splitlines() if "friendpay" in line]
    assert ours == []


def test_units_containers_and_the_documents_start_the_same_processes() -> None:
    text = (ROOT / "docs" / "production.md").read_text("utf-8")
    wanted = sorted(sorted(queues(command).items()) for command in re.findall(r"`.venv/bin/celery ([^`]+)`", text))
    units = [queues((DEPLOY / "systemd" / f"friendpay-{name}@.service").read_text()) for name in ("worker", "caller")]
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    containers = [queues(services[name]["command"]) for name in ("worker", "caller")]
    assert len(wanted) == 2
    for found in (units, containers):
        assert sorted(sorted(one.items()) for one in found) == wanted


def test_every_unit_leaves_a_process_the_time_it_takes_to_end() -> None:
    for unit in UNITS:
        if unit.suffix == ".service":
            patience = int(re.findall(r"^TimeoutStopSec=(\d+)", unit.read_text(), re.MULTILINE)[0])
            assert patience > options()["timeout_graceful_shutdown"]
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert all(services[name]["stop_grace_period"] == "30s" for name in ("web", "worker", "caller"))


def test_the_image_copies_what_there_is_and_the_compose_file_builds_it() -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text()
    assert all((ROOT / source).exists() for source in re.findall(r"^COPY (\S+)", text, re.MULTILINE))
    build = yaml.safe_load(COMPOSE.read_text())["services"]["web"]["build"]
    assert (COMPOSE.parent / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()


def test_no_secret_beside_the_compose_file_gets_into_the_image_or_the_repository() -> None:
    compose = yaml.safe_load(COMPOSE.read_text())
    files = {compose["services"]["web"]["env_file"], compose["secrets"]["database"]["file"].removeprefix("./")}
    assert files == {"friendpay.env", "database-password"}
    left_out = (ROOT / ".dockerignore").read_text().splitlines()
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    for file in files:
        assert f"deploy/docker/{file}" in left_out
        assert f"/deploy/docker/{file}" in ignored
