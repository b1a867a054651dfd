"""Command-line options of bin/up, checked before anything is installed or started. Standard library only."""

import argparse
import errno
import ipaddress
import os
import socket
import sys
from pathlib import Path

from friendpay.demo.bootstrap import ROOT
from friendpay.kit import env


def read() -> argparse.Namespace:
    """The command line: host, port, data, and `address`, the host as other devices name it."""
    parser = argparse.ArgumentParser(prog="bin/up", description="Serve friendpay's demo: a shop, a wallet, no money.")
    add = parser.add_argument
    add("--port", type=_port, default=8000, help="where the shop listens (default: 8000)")
    add("--host", default="127.0.0.1", help="0.0.0.0 lets in phones of the same network (default: 127.0.0.1)")
    add("--data", type=Path, default=ROOT / ".friendpay" / "demo", metavar="DIR", help="where all data is kept")
    add("--emulators", action="store_true", help="add simulated wallets to the demo shop, and a gateway of its own")
    options = parser.parse_args()
    options.data = Path(os.path.abspath(options.data.expanduser()))
    options.address = lan_address() if options.host in ("0.0.0.0", "::") else options.host
    if not env.is_local(options.address):
        sys.exit(f"friendpay: {options.address} is not private, and a demo lets everybody in. Use --host 127.0.0.1.")
    return options


def refuse_taken_port(host: str, port: int) -> None:
    """End here, with one line, when nobody could listen there."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server((str(address[0]), port), family=family).close()
    except socket.gaierror:
        sys.exit(f"friendpay: {host} is not an address of this machine. Use --host 127.0.0.1, or 0.0.0.0 for all.")
    except OSError as error:
        why = {
            errno.EADDRINUSE: f"port {port} is taken by another program. Choose another one with --port.",
            errno.EADDRNOTAVAIL: f"{host} is not an address of this machine. Use --host 127.0.0.1, or 0.0.0.0 for all.",
            errno.EACCES: f"port {port} is kept for the system. Choose one above 1023 with --port.",
        }
        sys.exit(f"friendpay: {why.get(error.errno or 0, f'cannot listen on {host}:{port} ({error.strerror}).')}")


def free_port(host: str) -> int:
    """A port where nobody listens now."""
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])


def lan_address() -> str:
    """This machine's address in its own network; loopback when it is in none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def url(address: str, port: int) -> str:
    """The address as a browser wants it."""
    try:
        host = f"[{address}]" if ipaddress.ip_address(address).version == 6 else address
    except ValueError:
        host = address
    return f"http://{host}:{port}" if port != 80 else f"http://{host}"


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port")
