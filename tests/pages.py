"""Reading pages in tests as a person would: the words on them, and where their forms lead."""

import re
from html import unescape

from django.http import HttpResponse

LINE = re.compile(r"\s+")
DANGEROUS = {
    "a control character": "Hello\x07",
    "a text that turns round": "Pay \u202e00.09",
    "too long by one": "x" * 201,
}
HTML = "<script>alert(1)</script> & <b>Lin's</b> 🍵"


def words(response: HttpResponse) -> str:
    """What can be read on a page, in one line."""
    body = response.content.decode().split("<body>")[-1]
    return LINE.sub(" ", unescape(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", body, flags=re.DOTALL))).strip()


def forms(response: HttpResponse) -> list[str]:
    """Where the page's forms are sent, the language switch aside."""
    return [to for to in re.findall(r'<form[^>]*action="([^"]+)"', response.content.decode()) if to != "/lang/"]
