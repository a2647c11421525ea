"""Market events in few words, for tests of the watcher."""

from __future__ import annotations

from decimal import Decimal

from krakenwire.model import BookUpdate, Spread, Ticker, Trade, Trades

SECOND = 1_000_000_000
BTC = "BTC/USD"


def trade(price: str, at_s: float = 0, qty: str = "1", symbol: str = BTC) -> Trade:
    return Trade(
        symbol=symbol, side="buy", price=Decimal(price), qty=Decimal(qty), ord_type="market", time_ns=int(at_s * SECOND)
    )


def trades(*prices: str, at_s: float = 0, qty: str = "1", kind: str = "update", symbol: str = BTC) -> Trades:
    return Trades(symbol=symbol, kind=kind, trades=tuple(trade(price, at_s, qty, symbol) for price in prices))  # type: ignore[arg-type]


def ticker(
    last: str, bid: str = "99", ask: str = "101", at_s: float | None = None, kind: str = "update", symbol: str = BTC
) -> Ticker:
    value = Decimal(last)
    return Ticker(
        symbol=symbol,
        kind=kind,  # type: ignore[arg-type]
        bid=Decimal(bid),
        bid_qty=Decimal(1),
        ask=Decimal(ask),
        ask_qty=Decimal(1),
        last=value,
        volume=Decimal(1),
        vwap=value,
        low=value,
        high=value,
        time_ns=None if at_s is None else int(at_s * SECOND),
    )


def spread(bid: str, ask: str, at_s: float | None = None, symbol: str = BTC) -> Spread:
    return Spread(
        symbol=symbol,
        bid=Decimal(bid),
        bid_qty=Decimal(1),
        ask=Decimal(ask),
        ask_qty=Decimal(1),
        time_ns=None if at_s is None else int(at_s * SECOND),
    )


class LiveBook:
    """Just enough of a book for the watcher."""

    def __init__(self, bid: str | None, ask: str | None, state: str = "live") -> None:
        self.state = state
        self.best_bid = None if bid is None else Decimal(bid)
        self.best_ask = None if ask is None else Decimal(ask)


def book(bid: str | None, ask: str | None, kind: str = "update", state: str = "live", symbol: str = BTC) -> BookUpdate:
    update = BookUpdate(symbol, kind, (), (), 1)  # type: ignore[arg-type]
    update.book = LiveBook(bid, ask, state)  # type: ignore[assignment]
    update.verified = state == "live"
    return update
