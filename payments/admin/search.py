"""The desk's search: whatever a caller may say, or paste, of an order, a request, a payment or a refund.

Each way of naming something is looked up by an index of its own, for so many rows at most, so that a million requests
make it no slower.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial, reduce
from operator import and_, or_
from typing import Any

from django.db.models import BigIntegerField, F, Q, QuerySet, Subquery, Value
from django.utils.translation import get_language

from friendpay.admin_kit.scope import Shops, within
from friendpay.kit import clock, desk_limits, ids
from orders.models import Order
from payments.admin import said
from payments.models import MailAddress, Payment, PaymentRequest, ProviderAccount, Refund
from payments.pages.addresses import digest_of
from payments.share import codes, receipt_numbers, safety_words

_LINK = re.compile(rf"/(?:p|checkout|r)/+([0-9A-Za-z]{{{ids.TOKEN_SYMBOLS}}})")
_ID = re.compile(r"\b(ord|pr|pay|re)_([0-9A-Za-z]{20,36})\b", re.IGNORECASE)
_REFERENCE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_\-.]{5,99}")
_EMAIL = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+\.\w+")


@dataclass(frozen=True)
class Found:
    """The rows named, by id; whatever belongs to them is found through them."""

    orders: list[int] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    payments: list[int] = field(default_factory=list)
    refunds: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.orders or self.requests or self.payments or self.refunds)

    def as_orders(self) -> Q:
        return Q(pk__in=[*self.orders, *_column(PaymentRequest, "order", pk=self._requests_above())])

    def as_requests(self) -> Q:
        return Q(pk__in=[*self._requests_above(), *_column(PaymentRequest, "pk", order=self.orders)])

    def as_payments(self) -> Q:
        ours = _column(Refund, "payment", pk=self.refunds)
        below = _column(Payment, "pk", request=[*self.requests, *_column(PaymentRequest, "pk", order=self.orders)])
        return Q(pk__in=[*self.payments, *ours, *below])

    def as_refunds(self) -> Q:
        requests = [*self.requests, *_column(PaymentRequest, "pk", order=self.orders)]
        payments = [*self.payments, *_column(Payment, "pk", request=requests)]
        return Q(pk__in=[*self.refunds, *_column(Refund, "pk", payment=payments)])

    def _requests_above(self) -> list[int]:
        payments = [*self.payments, *_column(Refund, "payment", pk=self.refunds)]
        return [*self.requests, *_column(Payment, "request", pk=payments)]


def _column(model: type[Any], column: str, **among: list[int]) -> list[int]:
    """A column of the rows whose other column is among some ids. No statement where there are none."""
    ((name, ids),) = among.items()
    return list(model._default_manager.filter(**{f"{name}__in": ids}).values_list(column, flat=True)) if ids else []


def find(text: str, shops: Shops = None) -> Found:
    """What a text names: exactly, if it can be read so, else whatever its words, sum and day speak of."""
    return named(text, shops) or spoken_of(text, shops)


def named(text: str, shops: Shops = None) -> Found:
    """Every order, request, payment and refund whose id, link, code, number or mail address is in the text."""
    text = codes.plain(text).strip()
    whole = text.strip(" .,;:!?\"'<>()[]#")
    tokens = [*_LINK.findall(text), whole]
    ids = [f"{kind.lower()}_{rest}" for kind, rest in _ID.findall(text)]
    by_id = Q(public_id__in=ids) | Q(token__in=tokens)
    linked = codes.by_link(text)
    ours = Q(pk=linked.pk) if linked else Q(code__in=codes.inside(text))
    mailboxes = [digest_of(address) for address in _EMAIL.findall(text)[:3]]
    mails = MailAddress.objects.filter(digest__in=mailboxes).values_list("order", flat=True)[: desk_limits.SEARCH_ROWS]
    return Found(
        orders=_all(Order, [by_id, Q(reference__iexact=whole), Q(pk__in=list(mails))], shops),
        requests=_all(PaymentRequest, [by_id, ours], shops),
        payments=_all(Payment, [by_id, Q(pk=receipt_numbers.meant(whole)), *_numbered(whole)], shops),
        refunds=_all(Refund, [Q(public_id__in=ids), *_numbered(whole)], shops),
    )


def spoken_of(text: str, shops: Shops = None) -> Found:
    """Orders and payments by a part of their order number, buyer, buyer's id or payer; by sum and day; and requests by
    their two words. A sum without a day is one of the last weeks. Of rows older than the newest, by how these begin, or
    by a part of them together with a sum or day.
    """
    text = " ".join(codes.plain(text).split())[: desk_limits.SEARCHED_CHARACTERS]
    heard = said.read(text, clock.now(), get_language() or "en")
    return Found(
        orders=_newest(Order, partial(_ORDERS.tell_of, text, heard), shops),
        requests=_with_safety_words(text, shops),
        payments=_newest(Payment, partial(_PAYMENTS.tell_of, text, heard), shops),
    )


@dataclass(frozen=True)
class _Columns:
    """Where a table has words, a sum, and the day of it."""

    words: tuple[str, ...]
    sum: str
    day: str

    def tell_of(self, text: str, heard: said.Said, how: str) -> Iterator[Q]:
        """The ways in which a row may be spoken of, with words compared so."""
        yield _worded(text, self.words, how)
        if heard.sums or heard.days:
            now = clock.now()
            days = heard.days or ((now - desk_limits.SUM_SEARCHED_FOR, now),)
            # Few rows are of a day and a sum. An index of words would be read for all of a common name besides.
            yield _at(self.day, days) & _of(self.sum, heard) & _worded(heard.words, self.words, _PART)


_PART, _BEGINNING = "icontains", "istartswith"
_ORDERS = _Columns(("reference", "buyer_name", "buyer_id"), "amount", "created_at")
_PAYMENTS = _Columns(("payer_name",), "amount_captured", "succeeded_at")


def _worded(text: str, columns: Iterable[str], how: str) -> Q:
    """The text, or each of its words, in one of these columns. Where a part will do, the text's words are in it too.
    Where it has to begin so, the condition is the indexes': they hold no empty ones.
    """

    def has(words: str) -> Q:
        indexed = how != _PART
        ways = (Q(**{f"{it}__{how}": words}) & (~Q(**{it: ""}) if indexed else Q()) for it in columns)
        return reduce(or_, ways)

    words = text.split()[: desk_limits.SEARCHED_WORDS]
    if not words:
        return Q()
    each = reduce(and_, map(has, words))
    return each if how == _PART or len(words) == 1 else has(text) | each


def _at(column: str, days: Iterable[tuple[Any, Any]]) -> Q:
    return reduce(or_, (Q(**{f"{column}__gte": begins, f"{column}__lt": ends}) for begins, ends in days))


def _of(column: str, heard: said.Said) -> Q:
    """One of the sums it may be, each in its currencies."""
    sums = (Q(**{column: minor, "currency__in": currencies}) for minor, currencies in heard.sums.items())
    return reduce(or_, sums) if heard.sums else Q()


def _numbered(number: str) -> Iterator[Q]:
    """Our number for a payment or refund, and the wallet's: they are an account's, and each account's are looked up."""
    if _REFERENCE.fullmatch(number):
        accounts = list(ProviderAccount.objects.values_list("pk", flat=True))
        yield Q(account__in=accounts, reference=number)
        yield Q(account__in=accounts, provider_ref=number) & ~Q(provider_ref="")


def _with_safety_words(text: str, shops: Shops) -> list[int]:
    """Requests that show these two words, among the newest: the words are made of the link and stand in no table."""
    if not (pair := safety_words.meant(text)):
        return []
    newest = _of_shops(PaymentRequest, shops).order_by("-pk").values_list("pk", "token")
    return [pk for pk, token in newest[: desk_limits.SAFETY_WORDS_SEARCHED] if safety_words.places(token) == pair]


def _all(model: type[Any], conditions: Iterable[Q], shops: Shops) -> list[int]:
    """The newest rows of each condition that finds few: one statement each, for an index each."""
    found: dict[int, None] = {}
    for condition in conditions:
        if condition:
            newest = _of_shops(model, shops).filter(condition).order_by("-pk").values_list("pk", flat=True)
            found |= dict.fromkeys(newest[: desk_limits.SEARCH_ROWS])
    return list(found)


def _newest(model: type[Any], told: Callable[[str], Iterable[Q]], shops: Shops) -> list[int]:
    """The newest of the rows that are told of in these ways, which may be one in three, or none. What is common is
    among the newest rows, which are read backwards and so may hold the words anywhere; what is rare is found by its own
    index, which knows how they begin, and sorted. PostgreSQL cannot know which it will be, and would read a million
    rows backwards in the hope for two hundred soon.
    """
    last = Subquery(model._default_manager.order_by("-pk").values("pk")[:1], output_field=BigIntegerField())
    recent = Q(pk__gt=last - Value(desk_limits.SEARCHED_FIRST, output_field=BigIntegerField()))
    rows = _of_shops(model, shops).values_list("pk", flat=True)
    found: dict[int, None] = {}
    for anywhere, beginning in zip(told(_PART), told(_BEGINNING), strict=True):
        if not beginning:
            continue
        newest = list(rows.filter(recent, anywhere).order_by("-pk")[: desk_limits.SEARCH_ROWS])
        if len(newest) < desk_limits.SEARCH_ROWS:
            newest += rows.filter(beginning).order_by((F("pk") + 0).desc())[: desk_limits.SEARCH_ROWS]
        found |= dict.fromkeys(newest)
    return list(found)


def _of_shops(model: type[Any], shops: Shops) -> QuerySet[Any]:
    """Narrowed before it is limited, so that other shops' namesakes crowd out nobody."""
    return within(model._default_manager.all(), "merchant", shops)
