"""The limit: what Starlette and psycopg alone make of the same rows. No rule, no check, no language; never serve it.

`DATABASE_URL` names a copy of a database of friendpay's, `LIMIT_ASKED` and `LIMIT_PAID` an order each in it, the one
asked for and the other paid: such rows are written again.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from html import escape
from secrets import token_hex
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.routing import Route

from bench.limits.rows import Kind, add, kinds, write

THREADS = 8
"""Connections to the database, of each process."""

_PAGE = """
    SELECT q.status, q.currency, q.amount, q.amount_paid, q.amount_held, q.message, q.seq, q.expires_at, q.token,
        o.buyer_name, m.name AS shop, m.contact, m.is_verified,
        (SELECT json_agg(json_build_array(l.name, l.quantity, l.unit_amount) ORDER BY l.id)
            FROM orders_orderline l WHERE l.order_id = o.id),
        (SELECT json_agg(json_build_array(p.payer_name, p.amount, p.held_until))
            FROM payments_payment p WHERE p.request_id = q.id AND p.held_until > clock_timestamp()),
        (SELECT array_agg(a.provider) FROM payments_provideraccount a WHERE a.merchant_id = m.id AND a.enabled)
    FROM payments_paymentrequest q JOIN orders_order o ON o.id = q.order_id
    JOIN orders_merchant m ON m.id = q.merchant_id
    WHERE q.token = %s
"""


class Rows:
    """What is written again, as it was found."""

    def __init__(self, asked: str, paid: str) -> None:
        with psycopg.connect(os.environ["DATABASE_URL"]) as database:
            of_order = "order_id = (SELECT id FROM orders_order WHERE public_id = %s)"
            of_payment = (
                "SELECT p.{} FROM payments_payment p JOIN payments_paymentrequest q ON q.id = p.request_id "
                "JOIN orders_order o ON o.id = q.order_id WHERE o.public_id = %s"
            )
            (self.order,) = kinds(database, "orders_order", "public_id = %s", asked)
            self.lines = kinds(database, "orders_orderline", of_order, asked)
            self.request = kinds(database, "payments_paymentrequest", of_order, asked)[-1]
            self.created = kinds(database, "orders_event", of_order, asked)
            (self.payment,) = kinds(database, "payments_payment", f"id IN ({of_payment.format('id')})", paid)
            by_reference = f"reference IN ({of_payment.format('reference')})"
            self.charges = kinds(database, "sandbox_charge", by_reference, paid)
            self.told = kinds(database, "payments_providerevent", by_reference, paid)
            self.settled = kinds(database, "orders_event", of_order, paid)[len(self.created) :]


_pool: "AsyncConnectionPool[Any]" = AsyncConnectionPool(
    os.environ["DATABASE_URL"], min_size=THREADS, max_size=THREADS, open=False, kwargs={"autocommit": True}
)
_rows = Rows(os.environ["LIMIT_ASKED"], os.environ["LIMIT_PAID"])


def _money(amount: int, currency: str) -> str:
    return f"{currency} {amount / 100:,.2f}"


async def page(request: Request) -> HTMLResponse:
    async with _pool.connection() as connection:
        found = await (await connection.execute(_PAGE, [request.path_params["token"]])).fetchone()
    if found is None:
        return HTMLResponse("not found", 404)
    status, currency, amount, paid, held, message, seq, expires_at, token, buyer, shop, contact, verified = found[:13]
    lines, holders, wallets = found[13:]
    goods = "".join(
        f"<li>{escape(name)} × {quantity} {_money(quantity * unit, currency)}</li>" for name, quantity, unit in lines
    )
    holding = "".join(
        f"<li>{escape(name)} {_money(sum_, currency)} {until}</li>" for name, sum_, until in holders or ()
    )
    buttons = "".join(f'<button name="method" value="{escape(name)}">{escape(name)}</button>' for name in wallets or ())
    left = int((expires_at - datetime.now(UTC)).total_seconds())
    return HTMLResponse(
        f"<!doctype html><html lang=en><title>A friend is asking you to pay</title>"
        f"<main data-seq={seq} data-state={status}>"
        f"<h1>{escape(buyer)} is asking you to pay</h1><p>{escape(message)}</p>"
        f"<p>{escape(shop)}{' (verified)' if verified else ''} {escape(contact)}</p><p>{left} seconds left</p>"
        f"<p>{_money(amount - paid - held, currency)} of {_money(amount, currency)}</p>"
        f"<ul>{goods}</ul><ul>{holding}</ul>"
        f'<form method="post" action="/pay/{token}">{buttons}</form></main></html>'
    )


async def create(request: Request) -> JSONResponse:
    """Order, lines, request and events, in one transaction."""
    asked = await request.json()
    ids = {name: token_hex(12) for name in ("order", "checkout", "request", "friend")}
    placed = {"public_id": f"ord_{ids['order']}", "token": ids["checkout"], "reference": asked["reference"]}
    now = datetime.now(UTC)
    async with _pool.connection() as connection, connection.transaction():
        order = await write(
            connection,
            _rows.order,
            public_id=f"ord_{ids['order']}",
            token=ids["checkout"],
            reference=asked["reference"],
        )
        about = {"public_id": f"pr_{ids['request']}", "token": ids["friend"], "code": ids["friend"][:12]}
        times = {"created_at": now, "expires_at": now + timedelta(days=1)}
        async with connection.pipeline():
            for kind in _rows.lines:
                await add(connection, kind, order_id=order)
            await add(connection, _rows.request, order_id=order, **about, **times)
            await _events(connection, _rows.created, order, about["public_id"], about["public_id"])
    return JSONResponse({"id": placed["public_id"], "payment_request": about}, 201)


async def pay(request: Request) -> RedirectResponse:
    """Order and request locked, the payment, its charge and its notification written, both marked as paid."""
    await request.body()
    token, now = request.path_params["token"], datetime.now(UTC)
    ids = {name: token_hex(12) for name in ("payment", "receipt", "reference", "charge", "transaction", "event")}
    async with _pool.connection() as connection, connection.transaction():
        lock = (
            "SELECT o.id, q.id, q.public_id FROM payments_paymentrequest q "
            "JOIN orders_order o ON o.id = q.order_id "
            "WHERE q.token = %s AND q.status = 'open' FOR NO KEY UPDATE OF o, q"
        )
        found = await (await connection.execute(lock, [token])).fetchone()
        if found is None:
            return RedirectResponse("/", 409)
        order, asked, public_id = found
        about = {"reference": ids["reference"], "created_at": now}
        payment = {"public_id": f"pay_{ids['payment']}", "token": ids["receipt"], "provider_ref": ids["transaction"]}
        async with connection.pipeline():
            await add(connection, _rows.payment, request_id=asked, **payment, **about)
            for kind in _rows.charges:
                await add(connection, kind, ref=ids["charge"], transaction=ids["transaction"], **about)
            for kind in _rows.told:
                await add(connection, kind, event_id=token_hex(12), reference=ids["reference"], received_at=now)
            await connection.execute(
                "UPDATE payments_paymentrequest SET status = 'paid', amount_paid = amount, paid_at = %s, seq = seq + 3 "
                "WHERE id = %s",
                [now, asked],
            )
            await connection.execute(
                "UPDATE orders_order SET status = 'paid', amount_paid = amount, paid_at = %s WHERE id = %s",
                [now, order],
            )
            await _events(connection, _rows.settled, order, public_id, payment["public_id"])
    return RedirectResponse(f"/r/{ids['receipt']}", 303)


async def _events(
    connection: "psycopg.AsyncConnection[Any]", several: list[Kind], order: int, request: str, about: str
) -> None:
    for kind in several:
        unlike = {"public_id": f"evt_{token_hex(12)}", "order_id": order, "request": request, "object_id": about}
        await add(connection, kind, sequence=None, **unlike)


@asynccontextmanager
async def _connected(_app: Starlette) -> AsyncIterator[None]:
    async with _pool:
        yield


app = Starlette(
    routes=[
        Route("/p/{token}/", page),
        Route("/create", create, methods=["POST"]),
        Route("/pay/{token}", pay, methods=["POST"]),
    ],
    lifespan=_connected,
)
