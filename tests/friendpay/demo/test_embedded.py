"""PostgreSQL and Valkey from their wheels: started, stopped, found again after a kill."""

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis

from friendpay.demo import embedded
from friendpay.demo.embedded import Servers
from friendpay.demo.wheels import CannotStart

pytestmark = pytest.mark.proof


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder, with whatever still runs on it stopped in the end."""
    folder = tmp_path / "data"
    yield folder
    if left := embedded.find(folder):
        embedded.stop(left)


def query(servers: Servers, words: str) -> str:
    with psycopg.connect(servers.environment["DATABASE_URL"], autocommit=True) as connection:
        found = connection.execute(words.encode())
        row = found.fetchone() if found.description else None
        return str(row[0]) if row else ""


def valkey(servers: Servers) -> Redis:
    return Redis.from_url(servers.environment["REDIS_URL"])


def pretend(data: Path) -> None:
    """Make it look as if the database had been made already, which takes the longest."""
    home = data / "postgres"
    home.mkdir(mode=0o700, parents=True)
    (home / "PG_VERSION").write_text("18")
    if os.geteuid() == 0:
        os.chown(home, 65534, -1)


def kill(servers: Servers) -> None:
    for name in embedded.NAMES:
        os.kill(servers.pid(name) or 0, signal.SIGKILL)


def test_what_was_written_is_there_after_a_stop_and_after_a_kill(data: Path) -> None:
    servers = embedded.start(data)
    query(servers, "CREATE TABLE kept AS SELECT 1 AS one")
    valkey(servers).set("kept", "one")
    valkey(servers).waitaof(1, 0, 5000)
    embedded.stop(servers)
    assert [servers.pid(name) for name in embedded.NAMES] == [None, None]

    servers = embedded.start(data)
    assert query(servers, "SELECT count(*) FROM kept") == "1"
    kill(servers)

    servers = embedded.start(data)
    assert query(servers, "SELECT count(*) FROM kept") == "1"
    assert valkey(servers).get("kept") == b"one"


def test_a_start_ends_what_an_earlier_one_left_behind(data: Path) -> None:
    first = [embedded.start(data, durable=False).pid(name) for name in embedded.NAMES]
    second = [embedded.start(data, durable=False).pid(name) for name in embedded.NAMES]
    assert not set(first) & set(second)
    assert not any(psutil.pid_exists(pid or 0) for pid in first)


def test_a_database_broken_off_while_it_was_made_is_made_anew(data: Path) -> None:
    (data / "postgres.new").mkdir(parents=True)
    (data / "postgres.new" / "PG_VERSION").write_text("18")
    (data / "postgres.new").chmod(0o700)
    with embedded.running(data, durable=False) as servers:
        assert query(servers, "SELECT current_database()") == "friendpay"


def test_a_process_that_got_a_dead_servers_number_is_left_alone(data: Path) -> None:
    servers = embedded.prepare(data, durable=False)
    for name, file in (("postgres", "postmaster.pid"), ("valkey", "valkey.pid")):
        (data / name / file).write_text(f"{os.getpid()}\n")
        assert servers.pid(name) is None
    embedded.stop(servers)  # would end this very process
    with embedded.running(data, durable=False) as started:
        assert query(started, "SELECT 1") == "1"


@pytest.mark.parametrize("name", ["d" * 120, "quote'and\" more ünï"])
def test_a_path_no_socket_can_have_is_gone_around(tmp_path: Path, name: str) -> None:
    data = tmp_path / name
    with embedded.running(data, durable=False) as servers:
        assert servers.run.parent == Path("/tmp")
        assert query(servers, "SELECT 1") == "1"
        assert valkey(servers).ping()
    assert not servers.run.exists()
    assert not (data / "run").is_symlink()


def test_a_temporary_folder_that_is_gone_or_somebody_elses_is_not_used(tmp_path: Path) -> None:
    data = tmp_path / ("d" * 120)
    pretend(data)
    first = embedded.prepare(data, durable=False).run
    assert embedded.prepare(data, durable=False).run == first
    first.chmod(0o777)  # as one made by somebody else in the same place could be
    second = embedded.prepare(data, durable=False).run
    assert second != first
    shutil.rmtree(first)
    shutil.rmtree(second)
    third = embedded.prepare(data, durable=False)
    assert third.run.is_dir()
    embedded.stop(third)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers under a closed folder, started in an environment full of traps."""
    home = tmp_path_factory.mktemp("home")
    home.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("PGPORT", "1"), ("PGDATA", "/nowhere"), ("LC_ALL", "xx_XX"), ("TZ", "Asia/Tokyo")):
            patch.setenv(name, value)
        with embedded.running(home / "data", durable=False) as servers:
            yield servers


def test_the_environment_does_not_reach_the_servers(running: Servers) -> None:
    assert query(running, "SHOW port") == "5432"
    assert query(running, "SHOW timezone") == "UTC"
    assert query(running, "SHOW lc_messages") == "C"


def test_nobody_else_may_connect(running: Servers) -> None:
    assert query(running, "SHOW listen_addresses") == ""
    for name in embedded.NAMES:
        assert running.socket(name).stat().st_mode & 0o077 == 0
        assert running.home(name).stat().st_mode & 0o077 == 0


def test_durability_is_given_up_only_where_asked(running: Servers) -> None:
    assert query(running, "SHOW fsync") == "off"
    assert valkey(running).config_get("appendonly") == {"appendonly": "no"}
    durable = replace(running, durable=True)
    assert "--fsync=off" not in durable.command("postgres")
    assert "yes" in durable.command("valkey")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the servers to somebody else")
def test_started_by_root_they_run_as_nobody_and_no_permission_changes(running: Servers) -> None:
    for name in embedded.NAMES:
        assert psutil.Process(running.pid(name)).username() == "nobody"
    assert running.data.parent.stat().st_mode & 0o777 == 0o700
    assert running.data.parent.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make such a folder")
def test_a_folder_of_another_user_is_refused(data: Path) -> None:
    pretend(data)
    embedded.prepare(data, durable=False)
    os.chown(data / "valkey", 12345, 12345)
    with pytest.raises(CannotStart, match="belongs to another user"):
        embedded.prepare(data, durable=False)
    os.chown(data / "valkey", 65534, -1)
