"""What a wallet says of itself to the pages and to the desk: its app, and the credentials of an account there."""

from dataclasses import dataclass


def gettext_noop(text: str) -> str:
    """Mark a text for translation, which is left to whoever shows it."""
    return text


LACKS = {
    "no_app_secret": gettext_noop("The account has no app secret, without which nothing opens inside WeChat."),
    "h5_not_granted": gettext_noop("The account has not been granted the jump from a phone (H5)."),
    "page_not_granted": gettext_noop("The account has not been granted the wallet's own page."),
    "code_not_granted": gettext_noop("The account has not been granted a product for codes to scan."),
}
"""What keeps an account from a rail, by the code that `Provider.lacks` answers with."""


@dataclass(frozen=True)
class App:
    """An app that shows pages in a browser of its own. The place inside it is called as the wallet is."""

    label: str  # what people call the app, in English
    sign: str  # the part of its browser's user agent that names it, in lower case


@dataclass(frozen=True)
class Credential:
    """How the desk asks for a credential. A secret is never shown again; a long one is a key in several lines."""

    help: str = ""
    secret: bool = True
    long: bool = False
    optional: bool = False
