"""The payer's side of an emulator: plain pages that a browser or a test can work."""

from html import escape

from friendpay.demo.emulation.messages import Response

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui; max-width: 26rem; margin: 0 auto; padding: 1rem }
[role=note] { background: #fde68a; color: #222; padding: .5rem 1rem; border-radius: .5rem }
a { color: inherit } form { display: grid } label { display: grid; margin-bottom: .5rem }
button, input { font: inherit; min-height: 2.75rem; padding: 0 1rem; margin: .25rem 0; border-radius: .6rem }
button, input { border: 1px solid #888; background: none; color: inherit }
button:first-of-type { background: #2456c4; border-color: #2456c4; color: #fff; font-weight: 600 }
"""


def page(brand: str, heading: str, body: str, *, status: int = 200) -> Response:
    """A payer's page. `body` is HTML; the rest is escaped. It says on its face that it is a simulation."""
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<link rel="icon" href="data:,"><title>{escape(heading)} · simulated {escape(brand)}</title>'
        f'<style>{_STYLE}</style><p role="note">Simulated {escape(brand)}: no money moves here.</p>'
        f"<main><h1>{escape(heading)}</h1>{body}</main></html>"
    )
    return Response(status, html.encode(), "text/html; charset=utf-8")


def buttons(action: str, **choices: str) -> str:
    """A form with one button per choice: `buttons("/pay/7", approve="Pay", refuse="Refuse")` posts `choice=approve`."""
    drawn = "".join(
        f'<button name="choice" value="{escape(name)}">{escape(label)}</button>' for name, label in choices.items()
    )
    return f'<form method="post" action="{escape(action)}">{drawn}</form>'
