"""Until when an answer that was worked out from a moment stays true.

A page depends on the time by comparisons: is this over, may that be taken over, is the end near. A `Watch` hands out a
moment that notes, at each comparison, when it will turn out otherwise. Whatever else the moment is asked makes the
answer true for that moment alone. So whoever keeps an answer cannot forget what of it depends on the time.

    watch = Watch(noon)
    is_over = watch.now > ends            # noted: this turns out otherwise when it is `ends`
    is_near = ends - watch.now < minute   # and this a minute earlier
    watch.until                           # so both answers hold until then

Where it is used a moment is a `datetime`, and what is subtracted from it or it from something a `timedelta`: code that
works out a page knows nothing of watches.
"""

import inspect
from collections.abc import Callable
from datetime import datetime, timedelta
from types import GetSetDescriptorType, MemberDescriptorType, MethodDescriptorType, WrapperDescriptorType
from typing import Any

_COMPARED = ("__lt__", "__le__", "__gt__", "__ge__")
_OF_OBJECTS = ("__class__", "__getattribute__", "__setattr__", "__delattr__", "__dir__", "__init__", "__sizeof__")


class Watch:
    """Notes what its `now` is asked: the answers stay as they are before `until`, for ever where that is None."""

    def __init__(self, now: datetime) -> None:
        self.began = now
        self.until: datetime | None = None
        self.now: datetime = _moment(now, self)

    def holds(self, now: datetime) -> bool:
        """Whether the answers are the same then."""
        return self.began <= now and (self.until is None or now < self.until)

    def note(self, after: timedelta) -> None:
        """Something turns out otherwise so long after the beginning; what has done so already stays as it is."""
        if after >= timedelta():
            turns = self.began + after
            self.until = min(self.until, turns) if self.until else turns


def _noting(kind: type[Any]) -> Callable[[type[Any]], type[Any]]:
    """For a class derived from `kind`, `datetime` or `timedelta`: whatever a `kind` can be asked is noted and answered
    by `plain`. What the class defines itself is its own affair: arithmetic is, whose result is watched again.
    """

    def decorate(cls: type[Any]) -> type[Any]:
        for name in _COMPARED:
            setattr(cls, name, _comparing(name))
        for name in set(dir(kind)) - set(vars(cls)) - set(_OF_OBJECTS):
            member = inspect.getattr_static(kind, name)  # as the class has it: a method, or a field such as `hour`
            if isinstance(member, MethodDescriptorType | WrapperDescriptorType):
                setattr(cls, name, _asking(member))
            elif isinstance(member, GetSetDescriptorType | MemberDescriptorType):
                setattr(cls, name, property(_asking(member.__get__)))
        return cls

    return decorate


def _comparing(name: str) -> Callable[[Any, Any], Any]:
    """A comparison turns out otherwise when both sides meet: that is as far away as they are apart, if they come nearer
    (`Watch.note` leaves out what lies in the past).
    """

    def compare(self: Any, other: Any) -> Any:
        other = getattr(other, "plain", other)
        if isinstance(other, datetime | timedelta):
            self.watch.note(other - self.plain if self.grows else self.plain - other)
        return getattr(self.plain, name)(other)

    return compare


def _asking(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Anything else: the answer may be another one at once."""

    def answer(self: Any, *args: Any, **named: Any) -> Any:
        self.watch.note(timedelta())
        return ask(self.plain, *args, **named)

    return answer


@_noting(datetime)
class _Moment(datetime):
    """`plain` is the same without a watch. It grows as time goes on."""

    plain: datetime
    watch: Watch
    grows = True

    def __add__(self, more: timedelta) -> "_Moment":
        return _moment(self.plain + more, self.watch)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, timedelta):
            return _moment(self.plain - other, self.watch)
        return _time(self.plain - other, self.watch, grows=True)

    def __rsub__(self, other: datetime) -> timedelta:
        return _time(other - self.plain, self.watch, grows=False)


@_noting(timedelta)
class _Time(timedelta):
    """The time since a moment, which grows as time goes on, or until one, which shrinks."""

    plain: timedelta
    watch: Watch
    grows: bool


def _moment(at: datetime, watch: Watch) -> _Moment:
    found = datetime.__new__(
        _Moment, at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond, at.tzinfo, fold=at.fold
    )
    found.plain, found.watch = at, watch
    return found


def _time(length: timedelta, watch: Watch, *, grows: bool) -> timedelta:
    found = timedelta.__new__(_Time, length.days, length.seconds, length.microseconds)
    found.plain, found.watch, found.grows = length, watch, grows
    return found
