"""Both clients against a running friendpay: their READMEs, and a network that loses answers."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from friendpay_client import Friendpay

from orders.webhooks import signing
from tests.browser.conftest import KEY, Stack, stack  # noqa: F401  # bin/up, as the documents have it
from tests.clients.build import CLIENTS
from tests.peers import fetched

pytestmark = pytest.mark.proof

SECRET = signing.new_secret()


def examples(client: str, language: str) -> str:
    """All code of a README, as one program."""
    return "\n".join(
        re.findall(rf"^```{language}\n(.*?)^```", (CLIENTS / client / "README.md").read_text(), re.M | re.S)
    )


def run(command: list[str], address: str, folder: Path) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CLIENTS / "python"),
        "FRIENDPAY_KEY": KEY,
        "FRIENDPAY_URL": address,
        "FRIENDPAY_SECRET": SECRET,
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def node(program: str, address: str) -> str:
    """What a program prints that imports the client as its users do."""
    folder = fetched.node_client()
    file = folder / "program.mjs"
    file.write_text(program)
    return run([*fetched.node()[0], str(file)], address, folder)


@contextmanager
def losing(address: str) -> Iterator[tuple[str, list[str]]]:
    """A way to the server on which the first answer to each POST is lost, after the server has given it."""
    keys: list[str] = []

    class Way(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            answer = httpx.request(self.command, f"{address}{self.path}", headers=headers, content=body)
            key = headers.get("Idempotency-Key") or headers.get("idempotency-key") or ""
            keys.append(key)
            if self.command == "POST" and keys.count(key) == 1:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(answer.status_code)
            self.send_header("content-type", answer.headers["content-type"])
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST

        def log_message(self, *args: object) -> None:
            pass

        def finish(self) -> None:
            with suppress(OSError):
                super().finish()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Way)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", keys
    finally:
        server.shutdown()
        server.server_close()


def orders_of(address: str, reference: str) -> int:
    with Friendpay(KEY, base_url=address) as friendpay:
        return len([order for order in friendpay.list_orders() if order["reference"] == reference])


def test_the_readme_of_the_python_client_runs_as_it_stands_there(stack: Stack, tmp_path: Path) -> None:  # noqa: F811
    said = run([sys.executable, "-c", examples("python", "python")], stack.address, tmp_path)
    assert f"{stack.address}/p/" in said
    assert "P-1001 awaiting_payment" in said
    assert "422 invalid" in said
    assert f"{stack.address}/checkout/" in said


def test_the_readme_of_the_node_client_runs_as_it_stands_there(stack: Stack) -> None:  # noqa: F811
    said = node(examples("node", "js"), stack.address)
    assert f"{stack.address}/p/" in said
    assert "N-1001 awaiting_payment" in said
    assert "422 invalid { 'lines.0.quantity': 'out_of_range' }" in said
    assert said.endswith("400\n")


def test_an_answer_that_is_lost_after_the_server_has_done_its_work_makes_one_order(stack: Stack) -> None:  # noqa: F811
    line = {"name": "Spring oolong", "quantity": 1, "unit_amount": 4500}
    with losing(stack.address) as (address, keys):
        with Friendpay(KEY, base_url=address) as friendpay:
            order = friendpay.create_order(
                reference="P-LOST",
                currency="CNY",
                lines=[line],  # type: ignore[list-item]
                buyer={"id": "1", "name": "Lin"},
            )
        assert order["reference"] == "P-LOST"
        assert len(keys) == 2
        assert len(set(keys)) == 1
    assert orders_of(stack.address, "P-LOST") == 1
    program = """
        import { Friendpay } from "friendpay-client";
        const friendpay = new Friendpay(process.env.FRIENDPAY_KEY, { baseUrl: process.env.FRIENDPAY_URL });
        const lines = [{ name: "Spring oolong", quantity: 1, unit_amount: 4500 }];
        const buyer = { id: "1", name: "Lin" };
        const order = await friendpay.createOrder({ reference: "N-LOST", currency: "CNY", lines, buyer });
        console.log(order.reference);
    """
    with losing(stack.address) as (address, keys):
        assert node(program, address) == "N-LOST\n"
        assert len(keys) == 2
        assert len(set(keys)) == 1
    assert orders_of(stack.address, "N-LOST") == 1


def test_the_node_client_believes_what_was_signed_and_nothing_else() -> None:
    body = '{"type":"order.paid","data":{"reference":"茶-1"}}'
    headers = signing.headers([signing.new_secret(), SECRET], "evt_1", datetime.now(UTC), body)
    program = f"""
        import {{ verify }} from "friendpay-client";
        const body = {body!r}, headers = {headers!r}, secrets = process.env.FRIENDPAY_SECRET;
        const tell = (work) => {{ try {{ return work().data.reference; }} catch (error) {{ return error.name; }} }};
        console.log(tell(() => verify(body, headers, secrets)));
        console.log(tell(() => verify(Buffer.from(body), new Headers(headers), [secrets])));
        console.log(tell(() => verify(body + " ", headers, secrets)), tell(() => verify(body, {{}}, secrets)));
        console.log(tell(() => verify(body, headers, secrets, {{ now: Date.now() / 1000 + 301 }})));
        console.log(tell(() => verify(body, headers, "whsec_" + "A".repeat(44))));
        console.log(tell(() => verify(body, headers, "")));
    """
    said = node(program, "http://127.0.0.1:9").split()
    assert said == ["茶-1", "茶-1", *["WebhookRefused"] * 4, "TypeError"]
