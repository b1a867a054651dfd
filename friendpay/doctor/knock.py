"""How the doctor asks a web process how it sees a caller: /healthz tells that to whoever brings a word signed with
SECRET_KEY, so that nobody else learns anything, and the doctor knows that it is friendpay that answers.
"""

from django.core.signing import BadSignature, TimestampSigner

from friendpay.bridge import Scope
from friendpay.kit import limits

HEADER = "friendpay-doctor"
_WORD = "knock"


def word() -> str:
    """What to send in HEADER. It is good for KNOCK_SECONDS."""
    return TimestampSigner(salt="friendpay.doctor").sign(_WORD)


def seen(scope: Scope) -> dict[str, str]:
    """How this caller looks to us; nothing for who is not the doctor."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    try:
        TimestampSigner(salt="friendpay.doctor").unsign(headers.get(HEADER, ""), max_age=limits.KNOCK_SECONDS)
    except BadSignature:
        return {}
    return {
        "scheme": scope["scheme"],
        "host": headers.get("host", ""),
        "client": scope["client"][0] if scope.get("client") else "",
        "peer": scope.get("friendpay.peer", ""),
        "forwarded_for": headers.get("x-forwarded-for", ""),
    }
