"""LNbits, the peer of `cycle`: in an environment of its own, on a database beside friendpay's, with a wallet that pays.

What it cannot help but do and friendpay does not: it signs invoices and keeps balances. What friendpay does besides is
in bench/README.md.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench.speed import flows
from bench.speed.load import PYTHON, ROOT
from bench.speed.wire import Client
from bench.speed.world import World, free_port

VERSION = "1.6.2"
_HOME = ROOT / ".friendpay" / "bench" / f"lnbits-{VERSION}"
_BESIDES = ["bitstring<5"]  # its invoices' library does not run with a newer one, and does not say so
_INSTALL_SECONDS = 600
_BALANCE = 10_000_000


def start(world: World) -> tuple[str, dict[str, Any]]:
    """Its address, and the keys of a shop and of a payer who has enough. Raises RuntimeError where it cannot be had."""
    program = _installed()
    data = Path(world.keep(tempfile.TemporaryDirectory(prefix="friendpay-lnbits-")))
    port, price = free_port(), free_port()
    world.start([str(PYTHON), "-m", "bench.limits.prices", str(price)], price, "/", {})
    exchange = {"name": "Here", "api_url": f"http://127.0.0.1:{price}/", "path": "$.price"}
    url = _database(world.house.stack.environment["DATABASE_URL"])
    environment = {
        "LNBITS_DATABASE_URL": url.replace("postgresql://", "postgres://"),
        "LNBITS_DATA_FOLDER": str(data),
        "LNBITS_EXTENSIONS_PATH": str(data),
        "LNBITS_BACKEND_WALLET_CLASS": "FakeWallet",
        "LNBITS_ADMIN_UI": "false",
        "LNBITS_RATE_LIMIT_NO": "1000000",
        "LNBITS_PRICE_AGGREGATOR_ENABLED": "false",
        "LNBITS_EXCHANGE_RATE_PROVIDERS": json.dumps([{**exchange, "exclude_to": [], "ticker_conversion": []}]),
        "LNBITS_EXTENSIONS_MANIFESTS": "[]",
        "LNBITS_WASM_EXTENSIONS_MANIFESTS": "[]",
        "DEBUG": "false",
    }
    command = [str(program), "--port", str(port), "--host", "127.0.0.1"]
    (home,) = program.parents[1].glob("lib/python3*/site-packages")  # it looks for its files where it is started
    address = world.start(command, port, "/api/v1/health", environment, cwd=home)
    keys = asyncio.run(_accounts(address))
    with psycopg.connect(url, autocommit=True) as database:  # the payer's first invoice is paid by nobody, but is paid
        database.execute("UPDATE apipayments SET status = 'success'")
    return address, keys


def _installed() -> Path:
    """Its program, from an environment that is made the first time."""
    program = _HOME / "bin" / "lnbits"
    if not (_HOME / ".made").exists():
        print(f"Installing LNbits {VERSION} into {_HOME.relative_to(ROOT)}; this is done once.", flush=True)
        pip = [str(_HOME / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        for command in ([sys.executable, "-m", "venv", str(_HOME)], [*pip, f"lnbits=={VERSION}", *_BESIDES]):
            ran = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
            if ran.returncode:
                raise RuntimeError(f"LNbits cannot be installed: {ran.stderr[-300:]}")
        (_HOME / ".made").touch()
    return program


def _database(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(sql.SQL("DROP DATABASE IF EXISTS lnbits WITH (FORCE)"))
        database.execute(sql.SQL("CREATE DATABASE lnbits"))
    return url.replace("@/friendpay?", "@/lnbits?")


async def _accounts(address: str) -> dict[str, Any]:
    """The keys of two wallets; the payer has asked for what she is to have."""
    client = Client(address, 0)
    try:
        shop, payer = [
            flows.right(await client.post("/api/v1/account", {"name": name}), 200).json() for name in ("shop", "payer")
        ]
        body = Client.written({"out": False, "amount": _BALANCE, "memo": "balance"})
        key = f"x-api-key: {payer['adminkey']}\r\n"
        flows.right(await client.ask("POST", "/api/v1/payments", body, "application/json", key), 201)
    finally:
        client.close()
    return {"shop": shop["inkey"], "payer": payer["adminkey"]}
