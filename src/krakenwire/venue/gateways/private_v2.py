"""The private half of one v2 connection: requests about orders, and what its account is told.

Belongs to a gateway, which passes on what is private and sends what comes
back. Source: v2 reference, sections 7 and 8.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from krakenwire.model import BalanceChange, Execution, Executions, Refused
from krakenwire.protocol.v2 import encode
from krakenwire.protocol.v2.encode_answers import answered
from krakenwire.protocol.v2.encode_private import (
    balances_body,
    balances_subscribed,
    executions_body,
    executions_subscribed,
    unsubscribed,
    with_sequence,
)
from krakenwire.protocol.v2.venue import PrivateSubscribe, PrivateUnsubscribe, TradingCall
from krakenwire.venue.front import Follower, Front, Told
from krakenwire.venue.gateways.private_channels import PrivateChannel, PrivateChannels
from krakenwire.venue.trading import Account

__all__ = ["PrivateHalf"]

_BRIEF: Final = ("new", "trade", "filled", "canceled", "expired")
"""What is told without `order_status`: where an order begins and ends, and its fills."""


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

    def call(self, call: TradingCall, now_ns: int) -> list[str]:
        """Carry out a request about orders; return its replies, one for each order it cancels."""
        account = self._front.permit.account(call.token, call.method, now_ns)
        if isinstance(account, str):
            return [self._refused(account, call.method, None, call.req_id, now_ns)]
        self._accounts[account] = None
        answers = self._front.ask(account, call.request, now_ns)
        return [answered(call.method, answer, call.req_id, now_ns, now_ns, call.warnings) for answer in answers]

    def subscribe(self, asked: PrivateSubscribe, now_ns: int) -> list[str]:
        """Follow a private channel; return the confirmation and the snapshot, which is there even if it is empty.

        Asking again changes the options and gives a new snapshot in the running sequence.
        """
        account = self._front.permit.account(asked.token, asked.channel, now_ns)
        if isinstance(account, str):
            return [self._refused(account, "subscribe", asked.channel, asked.req_id, now_ns)]
        self._accounts[account] = None
        channel = self._channels.open(account, asked)
        if asked.channel == "balances":
            frames = [balances_subscribed(asked, now_ns, now_ns)]
            body = balances_body(self._front.balances(account))
        else:
            frames = [executions_subscribed(asked, self._front.rate_threshold(account), now_ns, now_ns)]
            body = self._executions(channel)
        return [*frames, _frame(channel, body)] if asked.snapshot else frames

    def unsubscribe(self, asked: PrivateUnsubscribe, now_ns: int) -> list[str]:
        """Leave a private channel."""
        account = self._front.permit.account(asked.token, asked.channel, now_ns)
        if isinstance(account, str):
            return [self._refused(account, "unsubscribe", asked.channel, asked.req_id, now_ns)]
        if asked.channel not in self._channels:
            return [self._refused("Subscription Not Found", "subscribe", None, asked.req_id, now_ns)]
        self._channels.close(asked.channel)
        return [unsubscribed(asked, now_ns, now_ns)]

    def tell(self, told: Told) -> list[str]:
        """Return the frames about something that happened, if this connection asked for its kind."""
        name = "balances" if isinstance(told.report, BalanceChange) else "executions"
        channel = self._channels.of(name, told.account)
        if channel is None:
            return []
        if not channel.asked.order_status and told.report.exec_type not in _BRIEF:  # type: ignore[union-attr]  # only
            return []  # executions can be without
        if channel.asked.ratecounter and isinstance(told.report, Execution):
            return [_frame(channel, self._with_ratecount(told.report, told.account))]
        return [_frame(channel, told.body)]

    def close(self) -> None:
        """Let go of everything."""
        self._channels.close_all()

    @staticmethod
    def _with_ratecount(event: Execution, account: Account) -> str:
        """An event with the trading counter, which changes with time and so is not the same for all."""
        order = account.orders_seen.get(event.order_id)
        if account.pace is not None and order is not None:
            event = structs.replace(event, ratecount=int(account.pace.rate_count(order.symbol, event.time_ns)))
        return executions_body(Executions(kind="update", executions=(event,), sequence=0))

    def _executions(self, channel: PrivateChannel[PrivateSubscribe]) -> str:
        account, asked = channel.account, channel.asked
        rows = self._front.open_orders(account) if asked.snap_orders else []
        rows += self._front.last_fills(account) if asked.snap_trades else []
        return executions_body(Executions(kind="snapshot", executions=tuple(rows), sequence=0))

    @staticmethod
    def _refused(error: str, method: str, channel: str | None, req_id: int | None, now_ns: int) -> str:
        refusal = Refused(method=method, error=error, channel_name=channel, req_id=req_id)
        return encode.refused(refusal, now_ns, now_ns)


def _frame(channel: PrivateChannel[PrivateSubscribe], body: str) -> str:
    return with_sequence(body, channel.next_sequence())
