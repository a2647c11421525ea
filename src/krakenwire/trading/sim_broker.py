"""The broker of the worlds where orders are pretended: hands them to the simulator, and what it reports to the desk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, cast

from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.model.rows import ASK, BID
from krakenwire.trading.desk import Desk
from krakenwire.trading.markets import SymbolMarket
from krakenwire.trading.orders import Order
from krakenwire.trading.simulator import FillModel, OrderFlag, OrderType, Report, ReportKind, Simulator
from krakenwire.trading.simulator import Order as SimOrder

__all__ = ["SimBroker"]

_TYPES: Final = {
    "limit": int(OrderType.LIMIT),
    "market": int(OrderType.MARKET),
    "stop-loss": int(OrderType.STOP_LOSS),
    "stop-loss-limit": int(OrderType.STOP_LOSS_LIMIT),
    "take-profit": int(OrderType.TAKE_PROFIT),
    "take-profit-limit": int(OrderType.TAKE_PROFIT_LIMIT),
}
_FLAGS: Final = {"gtc": 0, "gtd": 0, "ioc": int(OrderFlag.IOC), "fok": int(OrderFlag.FOK)}
_POST_ONLY: Final = int(OrderFlag.POST_ONLY)


class SimBroker:
    """Carries orders to a simulator. Its `on_report` is taken.

    Args:
        simulator: the pretended market.
        desk: hears what becomes of orders.
        markets: the symbols of the run.
        model: fees are counted by its rates.
    """

    def __init__(self, simulator: Simulator, desk: Desk, markets: Sequence[SymbolMarket], model: FillModel) -> None:
        self._simulator, self._desk = simulator, desk
        self._markets = {market.place: market for market in markets}
        self._rates = {True: _whole(model.maker_fee), False: _whole(model.taker_fee)}
        self._fills = 0
        self._tellers: Final[dict[int, Callable[[Order, Report], None]]] = {
            ReportKind.ACCEPTED: lambda order, _: desk.accepted(order),
            ReportKind.REFUSED: lambda order, report: desk.refused(order, report.reason),
            ReportKind.FILL: self._filled,
            ReportKind.AMENDED: self._amended,
            ReportKind.CANCELED: lambda order, report: desk.ended(order, "canceled", report.reason),
            ReportKind.EXPIRED: lambda order, report: desk.ended(order, "expired", report.reason),
            ReportKind.TRIGGERED: lambda order, _: desk.triggered(order),
            ReportKind.AMEND_REFUSED: lambda order, report: desk.amend_refused(order, report.reason),
            ReportKind.CANCEL_REFUSED: lambda order, report: desk.cancel_refused(order, report.reason),
        }
        simulator.on_report = self._report

    def submit(self, order: Order) -> None:
        """Send a new order, once."""
        intent = order.intent
        trigger = 0
        if intent.trigger is not None:
            trigger = self._markets[order.place].ticks(intent.trigger) or 0
        order.handle = handle = SimOrder(
            order.place,
            BID if order.side == "buy" else ASK,
            _TYPES[intent.order_type],
            order.price_ticks,
            order.qty_lots,
            trigger=trigger,
            flags=_FLAGS[intent.time_in_force] | (_POST_ONLY if intent.post_only else 0),
            expire_ns=intent.expire_ns or 0,
            user=order,
        )
        self._simulator.submit(handle)

    def amend(self, order: Order, limit: Decimal | None, qty: Decimal) -> None:
        """Ask for another limit, and another quantity, what is filled counted in."""
        market = self._markets[order.place]
        ticks = 0 if limit is None else market.ticks(limit) or 0
        self._simulator.amend(cast("SimOrder", order.handle), ticks, market.lots(qty) or 0)

    def cancel(self, order: Order) -> None:
        """Ask for its end."""
        self._simulator.cancel(cast("SimOrder", order.handle))

    def _report(self, report: Report) -> None:
        self._tellers[report.kind](report.order.user, report)  # type: ignore[arg-type]  # `submit` has put it there

    def _filled(self, order: Order, report: Report) -> None:
        listing = self._markets[order.place].listing
        self._fills += 1
        rate, decimals = self._rates[report.maker]
        decimals += listing.price_decimals + listing.qty_decimals
        self._desk.filled(
            order,
            f"f{self._fills}",
            listing.price(report.price),
            listing.qty(report.qty),
            scaled_to_decimal(report.price * report.qty * rate, decimals),
            report.maker,
            report.time_ns,
        )

    def _amended(self, order: Order, report: Report) -> None:
        listing = self._markets[order.place].listing
        self._desk.amended(order, listing.price(report.price) if report.price else None, listing.qty(report.qty))


def _whole(rate: Decimal) -> tuple[int, int]:
    """Return a rate as a whole number, and of how many decimals it is."""
    exponent = rate.as_tuple().exponent
    decimals = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return int(rate.scaleb(decimals)), decimals
