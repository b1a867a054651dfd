"""friendpay on the servers that this test run has anyway, in a database of its own, with other people's servers before
and beside them, run as `deploy/` configures those.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from celery import current_app
from psycopg.conninfo import conninfo_to_dict

from friendpay.demo import embedded, wheels
from tests import databases, debian
from tests.deploy.stand import DEPLOY, Stand, running
from tests.ports import free_port

NAME = f"test_beside_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
POOL = 3
"""Connections to PostgreSQL that all of friendpay shares, but for each worker's scheduler."""


@contextmanager
def beside(folder: Path) -> Iterator[Stand]:
    """Empty, and without a proxy, so that no page is encrypted. Nothing of friendpay runs yet."""
    run = Path(str(conninfo_to_dict(os.environ["DATABASE_URL"])["host"])).parent
    stand = Stand(folder, embedded.Servers(folder, run, wheels.account(), durable=False))
    databases.copy(NAME)
    stand.address = f"http://127.0.0.1:{stand.inside}"
    stand.environment |= {
        "PUBLIC_URL": stand.address,
        "DATABASE_URL": stand.environment["DATABASE_URL"].replace("/friendpay?", f"/{NAME}?"),
        "REDIS_URL": f"unix://{stand.servers.socket('valkey')}?db=1",
        "CELERY_BROKER_URL": f"redis+socket://{stand.servers.socket('valkey')}?virtual_host=1",
    }
    try:
        yield stand
    finally:
        stand.end()


@contextmanager
def pgbouncer(stand: Stand) -> Iterator[None]:
    """`deploy/pgbouncer/pgbouncer.ini` before the stand's PostgreSQL, and friendpay is told."""
    port = free_port()
    conf = (DEPLOY / "pgbouncer" / "pgbouncer.ini").read_text()
    there = f"host={stand.servers.socket('postgres').parent} port=5432 dbname={NAME} user=friendpay"
    for ours, here in (
        ("host=10.0.0.21 port=5432", there),
        ("listen_port = 6432", f"listen_port = {port}"),
        ("auth_type = scram-sha-256\nauth_file = /etc/pgbouncer/userlist.txt", "auth_type = any"),
        ("default_pool_size = 20", f"default_pool_size = {POOL}"),
    ):
        assert ours in conf, ours
        conf = conf.replace(ours, here)
    where = stand.servers.run / "pgbouncer.ini"  # where its account can read it
    where.write_text(conf)
    account = stand.servers.account  # for it does not run as root
    command = [debian.program("pgbouncer", "pgbouncer"), "-q", str(where)]
    with running(command, port, user=account.pw_uid if account else None, ends=signal.SIGKILL):  # it waits for nobody
        stand.environment["DIRECT_DATABASE_URL"] = stand.environment["DATABASE_URL"]
        stand.environment["DATABASE_URL"] = f"postgresql://friendpay@127.0.0.1:{port}/friendpay"
        yield


class RabbitMQ:
    """A broker with what it keeps in `folder`; killed and started again it has its queues still."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port, self._names = folder, free_port(), free_port()
        self._stack = ExitStack()
        self.address = f"amqp://guest:guest@127.0.0.1:{self._port}//"

    def start(self) -> None:
        environment = {
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
            "HOME": str(self._folder),  # where its nodes' cookie is
            "LANG": "C.UTF-8",
            "ERL_CRASH_DUMP_SECONDS": "0",
            "ERL_EPMD_PORT": str(self._names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": "friendpay@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }
        debian.program("rabbitmq-server", "rabbitmq-server")
        epmd = [debian.program("epmd", "erlang-base")]  # else the node starts one that outlives it
        self._stack.enter_context(running(epmd, self._names, environment=environment))
        # Its own program: the one in /usr/sbin becomes another user first.
        node = ["/usr/lib/rabbitmq/bin/rabbitmq-server"]
        self._stack.enter_context(running(node, self._port, environment=environment, ends=signal.SIGKILL))

    def kill(self) -> None:
        self._stack.close()

    def consumers(self, queue: str) -> int:
        """How many workers take jobs from it."""
        found = 0
        with current_app.connection_for_read(self.address) as link, suppress(link.channel_errors):  # it comes
            found = link.default_channel.queue_declare(queue, passive=True).consumer_count
        return found

    def waiting(self, queue: str) -> list[str]:
        """The jobs in it that no worker has. They stay there."""
        with current_app.connection_for_read(self.address) as link:
            channel = link.default_channel
            channel.queue_declare(queue, passive=True)
            return [job.headers["task"] for job in iter(lambda: channel.basic_get(queue), None)]

    def send(self, task: str) -> None:
        """As friendpay sends its jobs, until the broker says that it keeps it."""
        with current_app.connection_for_write(self.address, transport_options={"confirm_publish": True}) as link:
            current_app.send_task(task, connection=link)


@contextmanager
def rabbitmq(stand: Stand, folder: Path) -> Iterator[RabbitMQ]:
    """RabbitMQ for friendpay's jobs, instead of Valkey, which is to be started."""
    folder.mkdir()
    broker = RabbitMQ(folder)
    stand.environment["CELERY_BROKER_URL"] = broker.address
    try:
        yield broker
    finally:
        broker.kill()
