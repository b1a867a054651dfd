"""Reading pages in tests as a person would: the words on them, and where their forms lead."""

import re
from html import unescape
from typing import Protocol

LINE = re.compile(r"\s+")
DANGEROUS = {
    "a control character": "Hello\x07",
    "a text that turns round": "Pay \u202e00.09",
    "too long by one": "x" * 201,
}
HTML = "<script>alert(1)</script> & <b>Lin's</b> 🍵"


class Answer(Protocol):
    """What the test client gives."""

    @property
    def content(self) -> bytes: ...


def words(response: Answer) -> str:
    """What can be read on a page, in one line."""
    body = response.content.decode().split("<body>")[-1]
    body = re.sub(r"</?bdi[^>]*>", "", body)  # does not part words
    return LINE.sub(" ", unescape(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", body, flags=re.DOTALL))).strip()


def forms(response: Answer) -> list[str]:
    """Where the page's forms are sent, the language switch aside."""
    return [to for to in re.findall(r'<form[^>]*action="([^"]+)"', response.content.decode()) if to != "/lang/"]
