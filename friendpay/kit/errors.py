"""`Refused`: how a use case says no, with a code for programs and a sentence for people."""

from django.utils.functional import Promise


class Refused(Exception):
    """What was asked cannot be done, and nothing was changed.

    `code` is for programs and stays the same; `message` is a sentence for people, in their language, that says what to
    do; `field` names the input at fault, if one is. `status` is the HTTP answer it deserves, `retry_after` after how
    many seconds asking again may help, where that is known.
    """

    def __init__(
        self, code: str, message: "str | Promise", *, field: str = "", status: int = 409, retry_after: int = 0
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field
        self.status = status
        self.retry_after = retry_after
