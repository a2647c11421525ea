"""What became of a request about orders: accepted, refused, or not known.

There are three outcomes and not two: a request whose reply never came may have
been carried out. Whoever sends it again without looking places it twice.
Source: v2 reference, section 8.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from krakenwire.errors import OutcomeUnknown, VenueRefusal
from krakenwire.model.answers import Answer, OrderRefused
from krakenwire.model.orders import METHODS, AddOrder, AmendOrder, BatchAdd, EditOrder, TradingRequest

__all__ = ["Outcome", "Unanswered"]

_FIND_BY_ID = "Look for the open order with its cl_ord_id before sending it again"
_FIND_OPEN = "Look at the open orders before sending it again"


class Unanswered(msgspec.Struct, frozen=True):
    """What became of it is not known.

    Args:
        reason: why not, in a few words.
    """

    reason: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A request about orders and what became of it.

    Args:
        request: what was asked.
        answers: at least one. `CancelOrders` has one for each id - `order_ids`, then `cl_ord_ids`, then
            `order_userrefs` - and `BatchAdd` one for each order; the others have one.
        req_id: its number on the connection; None over REST.
        sent_ns: when it was sent; None when it was not.
        answered_ns: when the last answer was there, or when it was given up.
    """

    request: TradingRequest
    answers: tuple[Answer | Unanswered, ...]
    req_id: int | None = None
    sent_ns: int | None = None
    answered_ns: int | None = None

    @property
    def state(self) -> Literal["accepted", "refused", "unknown"]:
        """``unknown`` if that is so of any part, ``refused`` if all of it was, else ``accepted``: look at `answers`."""
        if any(isinstance(answer, Unanswered) for answer in self.answers):
            return "unknown"
        return "refused" if all(isinstance(answer, OrderRefused) for answer in self.answers) else "accepted"

    @property
    def accepted(self) -> bool:
        """Whether the venue took it in, or some of it."""
        return self.state == "accepted"

    @property
    def refused(self) -> bool:
        """Whether the venue refused all of it."""
        return self.state == "refused"

    @property
    def unknown(self) -> bool:
        """Whether nobody knows of some of it."""
        return self.state == "unknown"

    @property
    def method(self) -> str:
        """What was asked, as v2 names it."""
        return METHODS[self.request.__class__]

    @property
    def answer(self) -> Answer | Unanswered:
        """The only answer, or the first."""
        return self.answers[0]

    @property
    def error(self) -> str:
        """The words of the first refusal; else why it is unknown; else empty."""
        for answer in self.answers:
            if isinstance(answer, OrderRefused):
                return answer.error
        return next((answer.reason for answer in self.answers if isinstance(answer, Unanswered)), "")

    @property
    def round_trip_ns(self) -> int | None:
        """From sending to the last answer; None when it was not sent, or not answered."""
        if self.sent_ns is None or self.answered_ns is None or self.unknown:
            return None
        return self.answered_ns - self.sent_ns

    def require(self) -> Answer:
        """Return the first answer that says yes.

        Raises:
            VenueRefusal: all of it was refused.
            OutcomeUnknown: nobody knows of some of it.
        """
        for answer in self.answers:
            if isinstance(answer, Unanswered):
                raise OutcomeUnknown(self.method, answer.reason, hint=_hint(self.request))
        for answer in self.answers:
            if not isinstance(answer, OrderRefused | Unanswered):
                return answer
        raise VenueRefusal(self.error, method=self.method, symbol=_symbol(self.request))


def _symbol(request: TradingRequest) -> str | None:
    return request.symbol if isinstance(request, AddOrder | AmendOrder | EditOrder | BatchAdd) else None


def _hint(request: TradingRequest) -> str:
    return _FIND_BY_ID if isinstance(request, AddOrder) and request.cl_ord_id is not None else _FIND_OPEN
