"""All that the buyer needs to send a request on its way."""

from dataclasses import dataclass
from typing import Self

from payments.models import PaymentRequest
from payments.share import codes, text
from payments.share.text import Target


@dataclass(frozen=True)
class Sheet:
    """The link, the code and how it is spelled out loud, the text that carries both, and where to send it by one tap,
    the most usual first. `by_copying`: no page may open a share sheet in WeChat's own browser.
    """

    link: str
    code: str
    spoken: tuple[tuple[str, str], ...]
    text: str
    open_address: str
    targets: tuple[Target, ...]
    by_copying: bool

    @classmethod
    def of(cls, request: PaymentRequest, *, in_wechat: bool) -> Self:
        return cls(
            link=text.link(request),
            code=codes.shown(request),
            spoken=tuple((char, str(word)) for char, word in codes.spoken(request)),
            text=text.share_text(request),
            open_address=text.open_address(),
            targets=tuple(text.targets(request, in_wechat=in_wechat)),
            by_copying=in_wechat,
        )
