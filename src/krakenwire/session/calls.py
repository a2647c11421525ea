"""Requests about orders that wait for their answers on one connection.

Each becomes exactly one `Outcome`: its answers, or unknown when its time is up
or the connection is gone. A cancellation of several orders gets one reply for
each, all with its number; v2 names the order in a yes but not in a refusal, v1
never. Nothing is sent from here. Source: v2 reference, sections 2.3 and 8.5;
v1 reference, section 10.4.
"""

from __future__ import annotations

import heapq
from typing import Final

from krakenwire.errors import UsageError
from krakenwire.limits import CALLS_IN_FLIGHT_MAX
from krakenwire.model import (
    Answer,
    BatchAdd,
    BatchAdded,
    Canceled,
    CancelOrders,
    OrderRefused,
    Outcome,
    TradingReply,
    TradingRequest,
    Unanswered,
)
from krakenwire.model.orders import METHODS

__all__ = ["Call", "Calls"]

_SECOND = 1_000_000_000

_OF_ONE_ORDER: Final = "EOrder:"
"""Begins a refusal that is about one order of a cancellation; any other is about the request, and the only reply."""

_Name = tuple[str, str | int]
"""Which member an id is in, and the id."""

_NAMELESS: Final[_Name] = ("", "")


class Call:
    """One request in flight, and what has come back of it.

    Attributes:
        request: what was asked; `method` as v2 names it.
        req_id: its number on the connection.
        sent_ns: when it was sent; `deadline_ns` when it is given up.
        expected: how many replies are due.
        replies: those that came, in their order.
        outcome: None while it is in flight.
    """

    __slots__ = ("deadline_ns", "expected", "method", "outcome", "replies", "req_id", "request", "sent_ns", "timeout_s")

    def __init__(self, request: TradingRequest, req_id: int, sent_ns: int, timeout_s: float) -> None:
        self.request, self.req_id, self.sent_ns, self.timeout_s = request, req_id, sent_ns, timeout_s
        self.method = METHODS[request.__class__]
        self.deadline_ns = sent_ns + int(timeout_s * _SECOND)
        self.expected = max(1, len(_names(request, 2))) if isinstance(request, CancelOrders) else 1
        self.replies: list[Answer] = []
        self.outcome: Outcome | None = None


class Calls:
    """The requests in flight on one connection.

    Attributes:
        unmatched: replies that belong to none of them: late, or not ours.

    Args:
        version: of the API that the connection speaks, 1 or 2.
        most: how many may be in flight.
    """

    def __init__(self, version: int = 2, *, most: int = CALLS_IN_FLIGHT_MAX) -> None:
        self._version, self._most = version, most
        self._calls: dict[int, Call] = {}
        self._deadlines: list[tuple[int, int]] = []
        self.unmatched = 0

    def __len__(self) -> int:
        return len(self._calls)

    def open(self, request: TradingRequest, req_id: int, now_ns: int, timeout_s: float) -> Call:
        """Note a request that is being sent.

        Args:
            request: what is asked.
            req_id: its number, used once on this connection.
            now_ns: the time.
            timeout_s: for its answers, seconds.

        Raises:
            UsageError: too many are in flight; this one must not be sent.
        """
        if len(self._calls) >= self._most:
            hint = "Wait for answers before sending more"
            raise UsageError("requests in flight", expected=f"at most {self._most}", found=len(self._calls), hint=hint)
        assert req_id not in self._calls
        call = self._calls[req_id] = Call(request, req_id, now_ns, timeout_s)
        heapq.heappush(self._deadlines, (call.deadline_ns, req_id))
        return call

    def take(self, reply: TradingReply, now_ns: int) -> Call | None:
        """Take in a reply; return the call it belongs to, None for a late or foreign one.

        The call has its `outcome` when this was the last reply that was due. A reply without a number belongs
        to the only call of its method, if there is exactly one.
        """
        call = self._meant(reply)
        if call is None:
            self.unmatched += 1
            return None
        call.replies.append(reply.answer)
        if len(call.replies) == call.expected or _is_of_the_whole(call.replies):
            self._end(call, now_ns, "")
        return call

    def due(self, now_ns: int) -> tuple[Call, ...]:
        """Return the calls whose time is up; what has not been answered of them is unknown."""
        over = []
        while self._deadlines and self._deadlines[0][0] <= now_ns:
            call = self._calls.get(heapq.heappop(self._deadlines)[1])
            if call is not None:
                self._end(call, now_ns, f"no reply within {call.timeout_s:g} s")
                over.append(call)
        return tuple(over)

    def lost(self, reason: str, now_ns: int) -> tuple[Call, ...]:
        """Return all calls: the connection is gone, and what has not been answered of them is unknown.

        Args:
            reason: why it is gone, in a few words.
            now_ns: the time.
        """
        over = tuple(self._calls.values())
        for call in over:
            self._end(call, now_ns, reason)
        return over

    def next_deadline_ns(self) -> int | None:
        """Return when `due` is to be called next; None when nothing is in flight."""
        while self._deadlines and self._deadlines[0][1] not in self._calls:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def _meant(self, reply: TradingReply) -> Call | None:
        if reply.req_id is not None:
            call = self._calls.get(reply.req_id)
            return call if call is not None and call.method == reply.method else None
        same = [call for call in self._calls.values() if call.method == reply.method]
        return same[0] if len(same) == 1 else None

    def _end(self, call: Call, now_ns: int, reason: str) -> None:
        del self._calls[call.req_id]
        call.outcome = Outcome(
            request=call.request,
            answers=_answers(call, reason, self._version),
            req_id=call.req_id,
            sent_ns=call.sent_ns,
            answered_ns=now_ns,
        )


# -- answers in the order of the request ------------------------------------------


def _is_of_the_whole(replies: list[Answer]) -> bool:
    if len(replies) != 1:
        return False
    (answer,) = replies
    return isinstance(answer, OrderRefused) and not answer.error.startswith(_OF_ONE_ORDER)


def _answers(call: Call, reason: str, version: int) -> tuple[Answer | Unanswered, ...]:
    request, replies = call.request, call.replies
    if isinstance(request, CancelOrders):
        return _by_id(_names(request, 2), _names(request, version), replies, reason)
    if isinstance(request, BatchAdd):
        return _by_order(len(request.orders), replies, reason)
    return tuple(replies) or (Unanswered(reason),)


def _by_order(orders: int, replies: list[Answer], reason: str) -> tuple[Answer | Unanswered, ...]:
    """The answers of a batch: what was said of each order, or of all of them."""
    if not replies:
        return (Unanswered(reason),) * max(1, orders)
    (answer,) = replies
    if not isinstance(answer, BatchAdded):
        return (answer,) * max(1, orders)
    missing = "the reply does not tell of this order"
    return (*answer.orders, *(Unanswered(missing) for _ in range(orders - len(answer.orders))))


def _by_id(
    names: list[_Name], sent: list[_Name], replies: list[Answer], reason: str
) -> tuple[Answer | Unanswered, ...]:
    """The answers of a cancellation, one for each id.

    A yes goes to the id it names; the others go to the ids that are left, as they were sent. Where a refusal was
    the only reply to all of them, it is the answer of all that have none.
    """
    if not names:
        return tuple(replies) or (Unanswered(reason),)
    left = list(sent)
    placed: dict[_Name, list[Answer]] = {}
    unnamed = []
    for answer in replies:
        name = _named(answer)
        if name in left:
            left.remove(name)
            placed.setdefault(name, []).append(answer)
        else:
            unnamed.append(answer)
    for answer in unnamed:
        placed.setdefault(left.pop(0), []).append(answer)
    rest: Answer | Unanswered = replies[0] if _is_of_the_whole(replies) else Unanswered(reason)
    return tuple(_first(placed.get(name), rest) for name in names)


def _first(answers: list[Answer] | None, rest: Answer | Unanswered) -> Answer | Unanswered:
    return answers.pop(0) if answers else rest


def _named(answer: Answer) -> _Name:
    """The id that an answer names; `_NAMELESS` when it names none."""
    if isinstance(answer, Canceled):
        for member in _MEMBERS[2]:
            value = getattr(answer, member)
            if value is not None:
                return member, value
    return _NAMELESS


_MEMBERS: Final = {
    1: ("order_id", "order_userref", "cl_ord_id"),
    2: ("order_id", "cl_ord_id", "order_userref"),
}
"""By version: the order in which the ids of a cancellation are answered. v1 has userrefs among the order ids."""


def _names(request: CancelOrders, version: int) -> list[_Name]:
    """The ids of a cancellation in the order of their answers."""
    values: dict[str, tuple[str, ...] | tuple[int, ...]] = {
        "order_id": request.order_ids,
        "cl_ord_id": request.cl_ord_ids,
        "order_userref": request.order_userrefs,
    }
    return [(member, value) for member in _MEMBERS[version] for value in values[member]]
