"""The private half of one v1 connection: requests about orders, `openOrders` and `ownTrades`.

Belongs to a gateway, which passes on what is private and sends what comes
back. Source: v1 reference, sections 9 and 10.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from msgspec import structs

from krakenwire.limits import VENUE_FILLS_SHOWN
from krakenwire.model import Answer, BalanceChange, Execution, OrderRecord, OrderRefused, TradeRecord
from krakenwire.model.records import order_record, trade_record
from krakenwire.protocol.v1 import private_frames as wire
from krakenwire.protocol.v1.venue_private import (
    PrivateRequest,
    PrivateSubscribe,
    PrivateUnsubscribe,
    TradingCall,
    refuse_private,
)
from krakenwire.venue.front import Follower, Front, Told
from krakenwire.venue.gateways.describing import described
from krakenwire.venue.gateways.private_channels import PrivateChannel, PrivateChannels
from krakenwire.venue.trading import Account, AccountOrder
from krakenwire.venue.trading.checks import MINIMUM

__all__ = ["PrivateHalf"]

_CHANGED: Final = ("amended", "restated")
"""What is told with the full entry of the order as it was then."""

_ON_V1: Final = {MINIMUM: "EOrder:Order minimum not met"}
"""Refusals that v1 words otherwise."""


class PrivateHalf:
    """Requests and private channels of one connection.

    Args:
        front: where accounts are.
        connection: whose half it is: what the front knows it by.
    """

    def __init__(self, front: Front, connection: Follower) -> None:
        self._front = front
        self._channels: PrivateChannels[PrivateSubscribe] = PrivateChannels(front, connection)
        self._accounts: dict[Account, None] = {}

    @property
    def subscribed(self) -> bool:
        """Whether any private channel is followed."""
        return bool(self._channels)

    @property
    def channels(self) -> tuple[str, ...]:
        """The private channels that are followed."""
        return self._channels.names

    @property
    def accounts(self) -> tuple[str, ...]:
        """Whose tokens have been used."""
        return tuple(account.name for account in self._accounts)

    def answer(self, request: PrivateRequest, now_ns: int) -> list[str]:
        """Carry out what a client asks of its account; return the statuses and the snapshot."""
        if isinstance(request, TradingCall):
            return self._call(request, now_ns)
        if isinstance(request, PrivateSubscribe):
            return self._subscribe(request, now_ns)
        assert isinstance(request, PrivateUnsubscribe)
        return self._unsubscribe(request, now_ns)

    def tell(self, told: Told) -> list[str]:
        """Return the frames about something that happened, if this connection asked for its kind."""
        event = told.report
        if isinstance(event, BalanceChange):
            return []
        frames = []
        orders, trades = (self._channels.of(name, told.account) for name in ("openOrders", "ownTrades"))
        if trades is not None and event.exec_type == "trade":
            entry = wire.trade_entry(trade_record(event), self._front.pairs[event.symbol or ""], live=True)
            frames.append(_frame(trades, wire.own_trades_body([entry])))
        if orders is not None:
            told_entry = self._order_entry(orders, event)
            frames += [] if told_entry is None else [_frame(orders, wire.open_orders_body([told_entry]))]
        return frames

    def close(self) -> None:
        """Let go of everything."""
        self._channels.close_all()

    # -- requests --------------------------------------------------------------------

    def _call(self, call: TradingCall, now_ns: int) -> list[str]:
        account = self._front.permit.account(call.token, call.event, now_ns)
        if isinstance(account, str):
            return [refuse_private(call, account)]
        self._accounts[account] = None
        answers = self._front.ask(account, call.request, now_ns)
        return [wire.answered(call.event, self._described(answer, call, account), call.req_id) for answer in answers]

    def _described(self, answer: Answer, call: TradingCall, account: Account) -> Answer:
        """The answer with the order in words, and refused as v1 refuses."""
        if isinstance(answer, OrderRefused):
            return OrderRefused(_ON_V1.get(answer.error, answer.error))
        return described(answer, call.request, account, self._front)

    def _subscribe(self, asked: PrivateSubscribe, now_ns: int) -> list[str]:
        account = self._front.permit.account(asked.token, asked.channel, now_ns)
        if isinstance(account, str):
            return [refuse_private(asked, account)]
        self._accounts[account] = None
        channel = self._channels.open(account, asked)
        confirmed = wire.private_subscribed(asked, self._front.rate_threshold(account))
        if asked.channel == "ownTrades" and not asked.snapshot:
            return [confirmed]
        body = self._open_orders(channel, now_ns) if asked.channel == "openOrders" else self._own_trades(account)
        return [confirmed, _frame(channel, body)]

    def _unsubscribe(self, asked: PrivateUnsubscribe, now_ns: int) -> list[str]:
        account = self._front.permit.account(asked.token, asked.channel, now_ns)
        if isinstance(account, str):
            return [refuse_private(asked, account)]
        if asked.channel not in self._channels:
            return [refuse_private(asked, "Subscription Not Found")]
        self._channels.close(asked.channel)
        return [wire.private_unsubscribed(asked)]

    # -- entries -----------------------------------------------------------------------

    def _open_orders(self, channel: PrivateChannel[PrivateSubscribe], now_ns: int) -> str:
        orders = channel.account.open_orders.values()
        return wire.open_orders_body([self._full_entry(channel, order, now_ns) for order in orders])

    def _own_trades(self, account: Account) -> str:
        fills = account.fills.newest(VENUE_FILLS_SHOWN)
        return wire.own_trades_body(
            wire.trade_entry(self._front.records.trade(fill), self._front.pairs[fill.order.symbol], live=False)
            for fill in fills
        )

    def _order_entry(self, channel: PrivateChannel[PrivateSubscribe], event: Execution) -> str | None:
        """The entry about something that happened to an order, None where v1 tells nothing of it."""
        order = channel.account.orders_seen.get(event.order_id)
        if order is None:
            return None
        pair, count = self._front.pairs[order.symbol], self._ratecount(channel, order.symbol, event.time_ns)
        if event.exec_type == "pending_new":
            return wire.order_entry(order_record(event), pair, count)
        if event.exec_type in _CHANGED:
            records = self._front.records
            fills = map(channel.account.fills.find, order.fills)
            trades = [records.trade(fill) for fill in fills if fill is not None]
            return wire.order_entry(_as_changed(records.order(order), event, trades), pair, count, event.reason)
        return wire.change_entry(event, pair, count)

    def _full_entry(self, channel: PrivateChannel[PrivateSubscribe], order: AccountOrder, now_ns: int) -> str:
        count = self._ratecount(channel, order.symbol, now_ns)
        return wire.order_entry(self._front.records.order(order), self._front.pairs[order.symbol], count)

    @staticmethod
    def _ratecount(channel: PrivateChannel[PrivateSubscribe], symbol: str, now_ns: int) -> int | None:
        pace = channel.account.pace
        return int(pace.rate_count(symbol, now_ns)) if channel.asked.ratecounter and pace is not None else None


def _as_changed(record: OrderRecord, event: Execution, trades: Iterable[TradeRecord]) -> OrderRecord:
    """An order as it was when it was amended: what has come of it since is told behind that.

    Args:
        record: the order as it stands.
        event: its amendment.
        trades: its fills, oldest first.
    """
    qty = event.cum_qty or Decimal(0)
    cost = fee = traded = Decimal(0)
    for trade in trades:
        if traded == qty:
            break
        traded, cost, fee = traded + trade.qty, cost + trade.cost, fee + trade.fee
    return structs.replace(
        record,
        status="open",
        order_qty=event.order_qty or record.order_qty,
        limit_price=record.limit_price if event.limit_price is None else event.limit_price,
        updated_ns=event.time_ns,
        cum_qty=qty,
        cum_cost=cost,
        fee=fee,
        avg_price=cost / qty if qty else qty,
        reason=None,
    )


def _frame(channel: PrivateChannel[PrivateSubscribe], body: str) -> str:
    return wire.with_sequence(body, channel.next_sequence())
