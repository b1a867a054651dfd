"""What a wallet must be able to do, in plain data. A provider knows nothing of our tables; nothing here does I/O.

Amounts are `Money` in minor units; times are aware datetimes in UTC. `reference` is our own number for an attempt or a
refund (the "merchant order number"): made by us before the first call, unique per account for ever, and sent again
unchanged on every retry, so that asking twice never charges or refunds twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from typing import Protocol

from friendpay.kit.money import Money
from payments.wallets.about import App, Credential

BEIJING = timezone(timedelta(hours=8), "GMT+8")


class Rail(StrEnum):
    """How a method is carried out."""

    NATIVE = "native"  # a code for the payer to scan
    H5 = "h5"  # a jump from the phone's browser into the wallet
    JSAPI = "jsapi"  # inside the wallet's own browser
    REDIRECT = "redirect"  # the provider's own page


PHONE, DESKTOP, OTHER_APP = "phone", "desktop", "other_app"
"""Where a page is opened. Inside a wallet's own browser the place is called as the wallet and its method are."""


@dataclass(frozen=True)
class Method:
    """A way to pay, as pages show it, and what a provider needs to know of it before it is offered."""

    name: str  # what the API and a shop's rules call it; the same at every provider that has it
    label: str  # what people call it, in English
    currencies: frozenset[str] | None = None  # None: any
    smallest: Mapping[str, int] = field(default_factory=dict)  # minor units; what is not named begins at one
    rails: Mapping[str, tuple[Rail, ...]] | None = None  # by place, the best first; None: a web page, wherever they are
    by_choice: bool = False  # offered only where the account is granted it by this name


@dataclass(frozen=True)
class Account:
    """A merchant's account at a provider. `config` holds the decrypted credentials, by the names in `fields`."""

    id: str
    live: bool
    config: Mapping[str, str]
    base_url: str = ""  # empty: the provider's public gateway
    notify_url: str = ""  # where notifications about this account go; a refund has no other way to name it
    granted: frozenset[str] = frozenset()  # which of the provider's `grants` the account has


@dataclass(frozen=True)
class Start:
    """One attempt to be opened at the provider."""

    reference: str
    amount: Money
    subject: str  # made by us, of letters, digits, spaces and hyphens only: no buyer's text reaches a provider
    rail: Rail
    method: str  # the name of one of the provider's methods
    deadline: datetime  # when the provider must stop taking this payment
    notify_url: str
    return_url: str  # where the wallet leads who has paid
    cancel_url: str  # and who leaves it without paying
    payer_ip: str = ""
    payer_id: str = ""  # the wallet's own id of the payer where the rail needs one (WeChat's openid)
    locale: str = "en"


@dataclass(frozen=True)
class RefundOrder:
    """`amount` of a charge, to be sent back to its payer.

    `charge_ref` names the charge where it is known: our own reference may stand for another one as well, when one
    attempt was charged twice.
    """

    reference: str  # the refund's own
    charge: str  # our reference of the charge
    charge_ref: str  # the provider's number of the charge
    amount: Money
    charged: Money  # what the charge took in all
    reason: str  # what the payer may read, in the payer's language


@dataclass(frozen=True)
class NextStep:
    """What the payer does now: open `url`, scan `code`, or hand `params` to the wallet's script."""

    rail: Rail
    url: str = ""
    code: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    session: str = ""  # the provider's own id of the open attempt, where it needs one to be asked about it later
    lives: int | None = None  # seconds that it leads there, where that may end before the deadline


class State(StrEnum):
    """The provider's word on a charge or a refund."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # final: refused, or closed without money
    RETURNED = "returned"  # a charge alone: it was paid, and sent back since; how much of it, the provider may not say
    UNKNOWN = "unknown"  # the provider has never heard of it (yet): says nothing about the future


@dataclass(frozen=True)
class Outcome:
    """Where a charge or a refund stands at the provider. `amount` and `provider_ref` are set when it succeeded.

    `for_shop`: it goes on once the shop has done something, such as filling its balance. `dead` (a refund that failed):
    its number can never move money again, so that another one must be used. `inquiry` (an open dispute): the bank
    asks, and holds no money yet.
    """

    state: State
    reference: str
    provider_ref: str = ""
    amount: Money | None = None
    code: str = ""  # the provider's own code and words, for support
    message: str = ""
    for_shop: bool = False
    dead: bool = False
    inquiry: bool = False


@dataclass(frozen=True)
class Notification:
    """A verified notification. `outcome` is None when it is only a hint, and the provider must be asked.

    A refund may be one that somebody made at the wallet itself, and a dispute always is another's doing: `charge` and
    `charge_ref` name what they are of. A dispute's outcome is PENDING while it is open, SUCCEEDED when the shop has won
    it or it came to nothing, FAILED when the money is gone; `code` is the reason.
    """

    event_id: str  # unique per account; the same on every delivery of the same notification
    kind: str  # the provider's own name of the event
    reference: str  # our reference of the charge or refund; "" when it names none of ours
    about: str  # "charge", "refund" or "dispute"
    outcome: Outcome | None = None
    number: str = ""  # the provider's own number of a refund or dispute, where that is another than `reference`
    charge: str = ""  # our reference of the charge that a refund or dispute is of, as far as it is told
    charge_ref: str = ""  # the provider's number of that charge


@dataclass(frozen=True)
class Reply:
    """What the provider expects to hear back over HTTP."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class BillLine:
    """One line of a provider's daily bill. `state` is the provider's word; `amount` what moved.

    A refund or dispute is named by its own numbers alone; `charge` and `charge_ref` are our reference and the
    provider's number of the charge it is of, as far as the bill tells them. Of a dispute a line says that there is
    one; how it stands is asked. `fee` is what the wallet kept for it, in the currency the shop is paid out in; None
    where the bill does not say, and negative where some was given back.
    """

    about: str  # "charge", "refund" or "dispute"
    reference: str
    provider_ref: str
    amount: Money
    state: State
    charge: str = ""
    charge_ref: str = ""
    fee: Money | None = None
    code: str = ""  # of a dispute: its reason


TIMEOUT = "timeout"
"""The code of a ProviderError that says that no answer came in time."""


class ProviderError(Exception):
    """The provider refused, or could not be reached.

    `permanent`: asking again with the same reference will not help. Otherwise nothing is known about what the provider
    did, and the same call with the same reference must be made again later.

    `for_shop`: it is the shop's account that is refused - its keys, rights, settings or balance - and not this call:
    the same one works once the shop has put that right. Somebody who pays now cannot wait for it; money that is owed
    can, so that no refund ever ends for such a reason.

    `over_limit`: it is the amount that the wallet does not take, from this payer or at all.
    """

    def __init__(
        self, message: str, *, permanent: bool, code: str = "", for_shop: bool = False, over_limit: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.code = code
        self.for_shop = for_shop or code == "configuration"
        self.over_limit = over_limit


class NoBill(ProviderError):
    """The provider says that it has no bill of a day: nothing moved on it, or the bill is not made yet."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message, permanent=False, code=code)


class NeverBilled(ProviderError):
    """This account has no bills at all: none is waited for, and nothing is missed on one."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True, code="never_billed")


class NotificationRefused(Exception):
    """Forged, stale, truncated or not for this account: answered with `reply`, nothing stored, nobody called."""

    def __init__(self, message: str, *, reply: Reply) -> None:
        super().__init__(message)
        self.reply = reply


class Provider(Protocol):
    """A wallet. Every call may be repeated with the same reference; none holds a database transaction open."""

    name: str  # "wechatpay": as in the notification URL and in ProviderAccount.provider
    label: str  # what people call the company, in English
    app: App | None  # the wallet's own browser, if it has one
    methods: tuple[Method, ...]  # what a page may show for it
    rails: tuple[Rail, ...]
    grants: Mapping[str, str]  # what an account may have or not, each with the wallet's own name of it
    max_hold: int  # seconds: the longest deadline worth asking for
    min_hold: int  # seconds: the shortest deadline this provider accepts; a shorter hold is ended by close()
    hold: int  # seconds a payer has
    yields_after: int  # seconds after which another friend may take over
    fields: Mapping[str, Credential]  # the credentials `Account.config` must hold, and how the desk asks for them
    pages: tuple[str, ...]  # the hosts of its own pages, to which a payer is led, as a content policy writes them
    run_by_shop: bool  # whether each account's gateway is a server of its shop's, for real money too
    identity: tuple[str, ...]  # those (and "base_url") that say whose account it is: another value is another account
    identity_key: str  # the one that is of one account without naming it, so that only the wallet can tell; "" for none
    knows_from_start: bool  # whether an attempt that was opened is known from then on, or only once the payer is there
    zone: tzinfo  # whose midnight begins a day of its bill
    refund_gap: int  # seconds between two refunds of one charge
    steps: Mapping[str, int]  # by currency: what amounts are multiples of, where that is not one minor unit

    def lacks(self, account: Account, rail: Rail) -> str:
        """What keeps this account from a rail, as a code for the shop; "" for nothing. Makes no call."""

    def ends_at(self, account: Account) -> datetime | None:
        """When the last of the certificates the account goes by ends; None where nothing ends. Makes no call."""

    def start(self, account: Account, start: Start) -> NextStep:
        """Open an attempt. Repeating with the same reference gives an equivalent next step, never a second charge."""

    def fetch(self, account: Account, reference: str, session: str = "") -> Outcome:
        """Ask where a charge stands. `session` is what `start` gave, "" when the start was never answered."""

    def close(self, account: Account, reference: str, session: str = "") -> Outcome:
        """Stop the provider from taking this payment, then say where it stands. Never undoes a payment that was made.

        FAILED: it can no longer be paid. SUCCEEDED: it was paid already. PENDING or UNKNOWN: not decided, ask again.
        """

    def refund(self, account: Account, refund: RefundOrder) -> Outcome:
        """Send money back to the payer of a charge. Repeating with the same reference never sends it twice."""

    def fetch_refund(self, account: Account, *, reference: str, charge: str, charge_ref: str = "") -> Outcome:
        """Ask where a refund stands. `charge_ref` names the charge where it is known, else `charge` does."""

    def read_notification(
        self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notification:
        """Verify over the raw body, then read; makes no call. Header names are lower-case. Else NotificationRefused."""

    def acknowledge(self) -> Reply:
        """What to answer once a notification is stored."""

    def bill(self, account: Account, day: date) -> Iterable[BillLine]:
        """Every charge and refund of one day in `zone`, as the provider booked them, and the disputes that moved money
        as far as the bill has them. Raises NoBill without one, NeverBilled for an account that never has any."""

    def check(self, account: Account) -> str:
        """Make a harmless signed call and say in one sentence what the provider answered. Raises ProviderError."""
