"""A price-time-priority matching engine for one instrument, in whole ticks and lots.

It takes commands with the engine time and answers with events; it knows no
accounts, no text, no clock. This is the readable twin of
`krakenwire._native.matching`, which has the same commands and must agree event
by event (`orders.py`); `engine.py` chooses. The rules: `matching_rules.py`.
"""

from __future__ import annotations

import struct
from operator import index
from typing import TYPE_CHECKING, Final

from krakenwire.model import OrderSide
from krakenwire.venue.matching.book_side import BookSide, PriceLevel, RestingOrder
from krakenwire.venue.matching.orders import (
    REFUSALS,
    SIDES,
    TRADES_UNTAKEN_MAX,
    BatchResult,
    Command,
    EngineEvent,
    OrderFlag,
    Refused,
    SelfTrade,
    TimeInForce,
    Traded,
)
from krakenwire.venue.matching.rules import CODES, MatchingRules

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["BookSide", "MatchingEngine", "PriceLevel", "RestingOrder"]

_IOC: Final = int(OrderFlag.IOC)
_FOK: Final = int(OrderFlag.FOK)
_POST_ONLY: Final = int(OrderFlag.POST_ONLY)
_MARKET: Final = int(OrderFlag.MARKET)
_REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
_CANCEL_OLDEST: Final = int(OrderFlag.CANCEL_OLDEST)
_CANCEL_BOTH: Final = int(OrderFlag.CANCEL_BOTH)
_FLAGS: Final = sum(OrderFlag)
_FORCE: Final[dict[TimeInForce, int]] = {"gtc": 0, "ioc": _IOC, "fok": _FOK}
_SELF_TRADES: Final[dict[SelfTrade, int]] = {
    "cancel_newest": 0,
    "cancel_oldest": _CANCEL_OLDEST,
    "cancel_both": _CANCEL_BOTH,
}
_ROW: Final = struct.Struct("=8q")
_NO_ROOM: Final = "recorded trades wait to be taken: call take_trades()"


class MatchingEngine(MatchingRules):
    """The book of one instrument and the rules of matching.

    Prices are ticks, quantities lots, times nanoseconds that must not go back;
    all are signed 64-bit numbers, anything else raises OverflowError. `place`,
    `cancel` and `amend` return the events they caused, in the order they
    happened; a command that cannot be followed gives one `Refused` and changes
    nothing. `submit`, `withdraw` and `revise` do the same without making
    events, and `batch` runs many of them in one call.

    What it promises beyond price and time is said in `matching_rules.py`.

    Args:
        record_trades: keep the trades of the compact calls for `take_trades`.
    """

    __slots__ = ()

    # -- commands that answer with events ------------------------------------

    def place(
        self,
        order_id: int,
        side: OrderSide,
        qty: int,
        price: int | None,
        time_ns: int,
        time_in_force: TimeInForce = "gtc",
        post_only: bool = False,
        owner: int = 0,
        self_trade: SelfTrade = "cancel_newest",
        display_qty: int | None = None,
        reduce_qty: int | None = None,
    ) -> list[EngineEvent]:
        """Take in a new order: match what can be matched, rest what may rest.

        Args:
            order_id: above zero, not the number of a resting order.
            side: ``buy`` or ``sell``.
            qty: lots, above zero, at most `QTY_MAX`.
            price: limit in ticks, above zero, at most `PRICE_MAX`; None for a market order, which never rests.
            time_ns: engine time of the command.
            time_in_force: ``gtc`` rests, ``ioc`` does not, ``fok`` trades all or nothing.
            post_only: refuse instead of trading on arrival.
            owner: whose order it is, 0 for nobody.
            self_trade: who gives way when it meets an order of its owner.
            display_qty: lots an iceberg shows at a time, at least a `SLICES_MAX`-th of `qty`.
            reduce_qty: bound of a reduce-only order in lots, above zero.
        """
        flags = _FORCE[time_in_force] | _SELF_TRADES[self_trade] | (_POST_ONLY if post_only else 0)
        _int64(order_id, qty, price or 0, time_ns, owner, display_qty or 0, reduce_qty or 0)
        order = RestingOrder(
            order_id, side, price or 0, qty, time_ns, post_only, owner, self_trade, display_qty, reduce_qty
        )
        events: list[EngineEvent] = []
        code = self.enter(events, order, flags | (_MARKET if price is None else 0))
        return events if code >= 0 else [Refused(order_id, REFUSALS[-code], time_ns)]

    def cancel(self, order_id: int, time_ns: int) -> list[EngineEvent]:
        """Take a resting order out of the book."""
        _int64(order_id, time_ns)
        order = self.orders.get(order_id)
        if order is None:
            return [Refused(order_id, "unknown order", time_ns)]
        events: list[EngineEvent] = []
        self.remove(events, order, time_ns, "cancel")
        return events

    def amend(
        self,
        order_id: int,
        time_ns: int,
        qty: int | None = None,
        price: int | None = None,
        post_only: bool = False,
        display_qty: int | None = None,
        reduce_qty: int | None = None,
    ) -> list[EngineEvent]:
        """Change what a resting order asks for.

        Args:
            order_id: a resting order.
            time_ns: engine time of the command.
            qty: new remaining quantity in lots, hidden part included; None leaves it.
            price: new limit in ticks; None leaves it.
            post_only: refuse a new price that would trade; so does an order that was placed so.
            display_qty: what an iceberg shows from its next part on; None leaves it.
            reduce_qty: new bound of a reduce-only order, which is cut to it; None leaves it.

        Less quantity at the same price keeps the place in the queue, an
        iceberg's hidden part going first; more quantity or another price loses
        it, and another price may trade.
        Source: v2 reference, sections 6.3 and 8.3.
        """
        _int64(order_id, time_ns, qty or 0, price or 0, display_qty or 0, reduce_qty or 0)
        events: list[EngineEvent] = []
        code = self.alter(events, order_id, time_ns, qty, price, post_only, display_qty, reduce_qty)
        return events if code >= 0 else [Refused(order_id, REFUSALS[-code], time_ns)]

    # -- compact commands ------------------------------------------------------

    def submit(
        self,
        order_id: int,
        is_sell: bool | int,
        price: int,
        qty: int,
        time_ns: int = 0,
        flags: int = 0,
        owner: int = 0,
        display_qty: int = 0,
        reduce_qty: int = 0,
    ) -> int:
        """Do what `place` does and return the lots traded at once, or less than zero if refused.

        Args:
            order_id: as for `place`.
            is_sell: 1 to sell, 0 to buy.
            price: limit in ticks; 0 with `OrderFlag.MARKET`.
            qty: as for `place`.
            time_ns: as for `place`.
            flags: sum of `OrderFlag`.
            owner: as for `place`.
            display_qty: of an iceberg; 0 for any other order.
            reduce_qty: the bound, with `OrderFlag.REDUCE_ONLY`; else 0.

        Returns:
            Lots traded; refused: the negative of the reason's place in `REFUSALS`.

        Raises:
            BufferError: more than `TRADES_UNTAKEN_MAX` recorded trades wait; nothing was done.
        """
        _int64(order_id, price, qty, time_ns, flags, owner, display_qty, reduce_qty)
        self._check_room()
        return self._submit(order_id, is_sell, price, qty, time_ns, flags, owner, display_qty, reduce_qty)

    def withdraw(self, order_id: int, time_ns: int = 0) -> bool:
        """Do what `cancel` does and return whether the order was there."""
        _int64(order_id, time_ns)
        order = self.orders.get(order_id)
        if order is None:
            return False
        self.remove(None, order, time_ns, "cancel")
        return True

    def revise(
        self,
        order_id: int,
        price: int = 0,
        qty: int = 0,
        time_ns: int = 0,
        flags: int = 0,
        display_qty: int = 0,
        reduce_qty: int = 0,
    ) -> int:
        """Do what `amend` does and answer as `submit` does; 0 leaves a value, the only flag is `POST_ONLY`."""
        _int64(order_id, price, qty, time_ns, flags, display_qty, reduce_qty)
        self._check_room()
        return self._revise(order_id, price, qty, time_ns, flags, display_qty, reduce_qty)

    def batch(self, rows: Buffer, width: int = 5) -> BatchResult:
        """Run many compact commands.

        Args:
            rows: a contiguous buffer of native signed 64-bit numbers (or of bytes that hold them), a row
                for each command: `Command`, order_id, is_sell, price, qty, time_ns, flags, owner, display_qty,
                reduce_qty. A `WITHDRAW` reads order_id and time_ns; a `REVISE` does not read is_sell and owner.
            width: numbers in a row, 5 to 10; what is missing is 0.

        Raises:
            ValueError: not such a buffer.
            BufferError: more than `TRADES_UNTAKEN_MAX` recorded trades wait; nothing was done.
        """
        if not 5 <= width <= 10:
            raise ValueError("a row has 5 to 10 numbers")
        view = memoryview(rows)
        if view.format not in ("q", "l", "B") or view.itemsize != (1 if view.format == "B" else 8):
            raise ValueError("the buffer does not hold signed 64-bit numbers")
        if view.nbytes % (8 * width):
            raise ValueError("the buffer does not hold whole rows")
        self._check_room()
        self._trades = 0
        done = refused = 0
        rest = (0,) * (10 - width)
        for row in struct.iter_unpack(f"={width}q", view.cast("B")):
            if self._run(row + rest):
                done += 1
            else:
                refused += 1
        return BatchResult(done, refused, self._trades)

    def take_trades(self) -> list[Traded]:
        """Return the trades of compact commands since the last call, oldest first, and forget them."""
        trades, self._recorded = self._recorded, []
        return trades

    # -- inside --------------------------------------------------------------------

    def _check_room(self) -> None:
        if len(self._recorded) > TRADES_UNTAKEN_MAX:
            raise BufferError(_NO_ROOM)

    def _run(self, row: tuple[int, ...]) -> bool:
        """Carry out one row of a batch; return whether it was not refused."""
        command, order_id, is_sell, price, qty, time_ns, flags, owner, display_qty, reduce_qty = row
        match command:
            case Command.SUBMIT:
                return self._submit(order_id, is_sell, price, qty, time_ns, flags, owner, display_qty, reduce_qty) >= 0
            case Command.WITHDRAW:
                return self.withdraw(order_id, time_ns)
            case Command.REVISE:
                return self._revise(order_id, price, qty, time_ns, flags, display_qty, reduce_qty) >= 0
        return False

    def _submit(
        self,
        order_id: int,
        is_sell: bool | int,
        price: int,
        qty: int,
        time_ns: int,
        flags: int,
        owner: int,
        display_qty: int,
        reduce_qty: int,
    ) -> int:
        if _bad_flags(flags, price, reduce_qty):
            return -CODES["bad flags"]
        self_trade: SelfTrade = "cancel_newest"
        if flags & (_CANCEL_OLDEST | _CANCEL_BOTH):
            self_trade = "cancel_oldest" if flags & _CANCEL_OLDEST else "cancel_both"
        order = RestingOrder(
            order_id,
            SIDES[bool(is_sell)],
            price,
            qty,
            time_ns,
            bool(flags & _POST_ONLY),
            owner,
            self_trade,
            display_qty or None,
            reduce_qty if flags & _REDUCE_ONLY else None,
        )
        return self.enter(None, order, flags)

    def _revise(
        self, order_id: int, price: int, qty: int, time_ns: int, flags: int, display_qty: int, reduce_qty: int
    ) -> int:
        if flags & ~_POST_ONLY:
            return -CODES["bad flags"]
        post_only = flags != 0
        return self.alter(
            None, order_id, time_ns, qty or None, price or None, post_only, display_qty or None, reduce_qty or None
        )


def _int64(*numbers: int) -> None:
    """Raise OverflowError unless all are signed 64-bit numbers, TypeError unless they are numbers."""
    try:
        _ROW.pack(*numbers, *(0,) * (8 - len(numbers)))
    except struct.error:
        for number in numbers:
            index(number)
        raise OverflowError("a number does not fit in 64 bits") from None


def _bad_flags(flags: int, price: int, reduce_qty: int) -> bool:
    """Return whether flags are unknown, contradict each other, or do not go with the values."""
    return bool(
        flags & ~_FLAGS
        or (flags & _IOC and flags & _FOK)
        or (flags & _CANCEL_OLDEST and flags & _CANCEL_BOTH)
        or (flags & _MARKET and price)
        or (reduce_qty and not flags & _REDUCE_ONLY)
    )
