"""What a call may raise."""

from typing import Any


class FriendpayError(Exception):
    """Everything this package raises by itself."""


class NoAnswer(FriendpayError):
    """No answer came, after all retries. Whether the call did its work is unknown: repeat it with the same
    `idempotency_key`, and it does it at most once.
    """

    def __init__(self, message: str, idempotency_key: str | None) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


class ApiError(FriendpayError):
    """The API refused (RFC 9457). `code` is for programs and stays the same; `detail` is for people; `fields` says what
    is wrong with which field, as code by its name (`lines.0.quantity`). `request_id` is for support.
    """

    def __init__(self, status: int, problem: dict[str, Any], *, request_id: str = "", retry_after: float = 0) -> None:
        self.status = status
        self.code: str = problem.get("code") or f"http_{status}"
        self.detail: str = problem.get("detail") or ""
        self.fields: dict[str, str] = {it["field"]: it["code"] for it in problem.get("errors") or ()}
        self.problem = problem
        self.request_id = request_id
        self.retry_after = retry_after
        super().__init__(f"{self.code} ({status}): {self.detail}")
