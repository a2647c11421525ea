"""The demo's trading act: the local Kraken's demo account places, amends, fills and cancels, and counts its money.

One step at a time, each when a part of the run is over, so that the market can
be watched in between. It shows nothing itself; see `demo` and `krakenwire.cli.demo`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Literal

import msgspec

from krakenwire.apps.kraken_threaded import Kraken
from krakenwire.errors import KrakenwireError
from krakenwire.model import Fill

__all__ = ["Act", "ActCounters", "ActLine"]

ActKind = Literal["balances", "placed", "amended", "filled", "canceled", "refused"]

_QTY: Final = Decimal("0.01")
_TICK: Final = Decimal("0.1")
"""The price step of what is traded, BTC/USD."""
_AWAY: Final = Decimal("0.01")
"""Part of the price by which an order stands away from the market: nobody comes there within a demo."""
_THROUGH: Final = Decimal("0.001")
"""Part of the price by which an order that is to fill reaches into the other side."""
_NS: Final = 1_000_000_000


class ActLine(msgspec.Struct, frozen=True):
    """One thing that the account did, or that became of it.

    Args:
        kind: what it was.
        text: the rest of it in words.
    """

    kind: ActKind
    text: str


class ActCounters(msgspec.Struct):
    """What the act has done."""

    placed: int = 0
    amended: int = 0
    fills: int = 0
    canceled: int = 0


class Act:
    """The trading act of one run.

    Args:
        kraken: a client with the account, started.
        symbol: what is traded.
        begin_ns: when the run begins.
        length_ns: how long it is.

    Attributes:
        counters: what it has done.
    """

    def __init__(self, kraken: Kraken, symbol: str, begin_ns: int, length_ns: int) -> None:
        self.counters = ActCounters()
        self._kraken, self._symbol = kraken, symbol
        self._begin_ns, self._length_ns = begin_ns, length_ns
        self._assets = tuple(symbol.split("/"))
        self._before: Mapping[str, Decimal] = {}
        self._buy = self._sell = ""
        self._left: list[tuple[float, Callable[[Decimal, Decimal], ActLine | None]]] = [
            (0.10, self._count_before),
            (0.16, self._place_away),
            (0.28, self._amend_to_the_bid),
            (0.40, self._amend_through),
            (0.55, self._place_the_other),
            (0.70, self._cancel),
            (0.80, self._count_after),
        ]

    def step(self, bid: Decimal | None, ask: Decimal | None, now_ns: int) -> ActLine | None:
        """Do the next thing if it is due; return what was done.

        Args:
            bid: best price of the moment, None before there is one.
            ask: as `bid`.
            now_ns: the time, of the clock of `begin_ns`.
        """
        if not self._left or bid is None or ask is None:
            return None
        part, do = self._left[0]
        if now_ns < self._begin_ns + int(part * self._length_ns):
            return None
        del self._left[0]
        try:
            return do(bid, ask)
        except KrakenwireError as error:
            self._left.clear()
            return ActLine("refused", str(error))

    def filled(self, fill: Fill) -> ActLine:
        """Take in a fill of the account; return it in words."""
        self.counters.fills += 1
        fees = ", ".join(f"{_amount(fee.qty)} {fee.asset}" for fee in fill.fees)
        bought = f"{fill.side} {_amount(fill.qty)} at {_amount(fill.price)}"
        return ActLine("filled", bought + (f", fee {fees}" if fees else ""))

    # -- the steps -------------------------------------------------------------------

    def _count_before(self, bid: Decimal, ask: Decimal) -> ActLine:
        del bid, ask
        self._before = self._kraken.balances()
        amounts = ((asset, self._before.get(asset, Decimal(0))) for asset in self._assets)
        return ActLine("balances", ", ".join(f"{_amount(amount)} {asset}" for asset, amount in amounts))

    def _place_away(self, bid: Decimal, ask: Decimal) -> ActLine:
        del ask
        price = _priced(bid, 1 - _AWAY)
        self._buy = self._kraken.add_order(self._symbol, "buy", "limit", _QTY, price).order_id
        self.counters.placed += 1
        return ActLine("placed", f"buy {_QTY} {self._symbol} at {price:f}, below the bid {_amount(bid)}: it rests")

    def _amend_to_the_bid(self, bid: Decimal, ask: Decimal) -> ActLine:
        del ask
        return self._amend(_priced(bid, Decimal(1)), "the best bid")

    def _amend_through(self, bid: Decimal, ask: Decimal) -> ActLine | None:
        del bid
        if self._buy not in self._kraken.open_orders():
            return None  # somebody has sold to it where it stood
        return self._amend(_priced(ask, 1 + _THROUGH), f"through the ask {_amount(ask)}: it trades")

    def _amend(self, price: Decimal, why: str) -> ActLine:
        self._kraken.amend_order(self._buy, limit_price=price)
        self.counters.amended += 1
        return ActLine("amended", f"to {price:f}, {why}")

    def _place_the_other(self, bid: Decimal, ask: Decimal) -> ActLine:
        del bid
        price = _priced(ask, 1 + _AWAY)
        self._sell = self._kraken.add_order(self._symbol, "sell", "limit", _QTY, price, post_only=True).order_id
        self.counters.placed += 1
        return ActLine("placed", f"sell {_QTY} {self._symbol} at {price:f}, above the ask {_amount(ask)}")

    def _cancel(self, bid: Decimal, ask: Decimal) -> ActLine:
        del bid, ask
        self._kraken.cancel_order(self._sell)
        self.counters.canceled += 1
        return ActLine("canceled", "the order to sell")

    def _count_after(self, bid: Decimal, ask: Decimal) -> ActLine:
        del bid, ask
        after, zero = self._kraken.balances(), Decimal(0)
        changes = ((asset, after.get(asset, zero), self._before.get(asset, zero)) for asset in self._assets)
        texts = (f"{_amount(now)} {asset} ({_amount(now - then, '+')})" for asset, now, then in changes)
        return ActLine("balances", ", ".join(texts))


def _priced(price: Decimal, by: Decimal) -> Decimal:
    """A price times something, in whole ticks."""
    return (price * by).quantize(_TICK)


def _amount(value: Decimal, sign: str = "") -> str:
    """A number without the zeros at its end."""
    return format(value.normalize(), f"{sign}f")
