"""The written guides beside the description of the API: documents of `docs/`, as pages of the installation itself.

A problem's `type` leads to its code on the page of errors; every type of event has its example on the page of events.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from friendpay.api import openapi_events


@dataclass(frozen=True)
class Guide:
    """A document, or one section of it. Of its tables, the code in the column `anchors` can be linked to."""

    title: str
    document: str
    section: str = ""
    anchors: int | None = None


GUIDES = {
    "start": Guide("Getting started", "getting-started.md"),
    "api": Guide("The API", "api.md"),
    "pairing": Guide("Pairing", "pairing.md"),
    "errors": Guide("Errors", "api.md", "Errors", anchors=1),
    "webhooks": Guide("Webhooks, and how to verify them", "webhooks.md"),
    "events": Guide("Events", "webhooks.md", "Events", anchors=0),
    "testing": Guide("Testing, and simulated outcomes", "testing.md"),
    "statuses": Guide("Statuses", "statuses.md"),
    "embed": Guide("In your own page", "embed.md"),
}
"""By the name in the address, in the order of the contents."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def page(request: HttpRequest, name: str) -> HttpResponse:
    """A guide. For everybody: nothing in it is a secret."""
    if name not in GUIDES:
        raise Http404
    context = {"guides": GUIDES, "name": name, "title": GUIDES[name].title, "text": drawn(name)}
    return render(request, "api/guide.html", context)


@cache
def drawn(name: str) -> SafeString:
    """The guide as HTML; a link to what is no page here is plain text."""
    guide = GUIDES[name]
    text = (Path(settings.BASE_DIR) / "docs" / guide.document).read_text("utf-8")
    if guide.section:
        text = text.partition(f"\n## {guide.section}\n")[2].partition("\n## ")[0]
    if name == "events":
        text += "".join(_example(type) for type in openapi_events.TYPES)
    tokens = _MARKDOWN.parse(text)
    _anchor(tokens, guide.anchors)
    for token in tokens:
        if token.children:
            token.children = _linked(token.children)
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return mark_safe(html)


def _example(type: str) -> str:
    body = json.dumps(openapi_events.example(type), indent=2, ensure_ascii=False)
    return f"\n### {type}\n\n```json\n{body}\n```\n"


def _anchor(tokens: list[Token], column: int | None) -> None:
    """Names for headings, and for the first code of each name in that column of tables."""
    cell, known = -1, set[str]()
    for token, inside in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and inside is not None:
            name = re.sub(r"[^a-z0-9]+", "-", inside.content.lower()).strip("-")
            token.attrSet("id", f"{name}-example" if "." in inside.content else name)
        elif token.type == "tr_open":
            cell = -1
        elif token.type == "td_open":
            cell += 1
        elif token.type == "inline" and cell == column:
            for child in token.children or ():
                if child.type == "code_inline" and child.content not in known:
                    known.add(child.content)
                    child.attrSet("id", child.content)


def _linked(tokens: list[Token]) -> list[Token]:
    """The same, with links between documents leading to their pages here."""
    pages = {guide.document: name for name, guide in reversed(GUIDES.items()) if not guide.section}
    kept, dropped = list[Token](), False
    for token in tokens:
        if token.type == "link_open":
            target = str(token.attrs["href"])
            document, _hash, fragment = target.partition("#")
            if document in pages:
                token.attrSet("href", f"/api/v1/docs/{pages[document]}" + (f"#{fragment}" if fragment else ""))
            dropped = document not in pages and not target.startswith(("https://", "#"))
            if dropped:
                continue
        if token.type == "link_close" and dropped:
            dropped = False
            continue
        kept.append(token)
    return kept
