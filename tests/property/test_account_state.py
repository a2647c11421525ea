"""The account as a client keeps it is the account at the venue: random trading, seen over both versions.

The venue's own private halves write the frames and the client's codecs read
them, so that every member that a state needs has to have been on the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.venue.trading.crowd import Crowd
from tests.unit.venue.trading.desks import Floor

from krakenwire.model import BalanceChanges, Balances, Execution, Executions, OrderState
from krakenwire.model.account import ENDED
from krakenwire.protocol.v1.client import ClientCodec as CodecV1
from krakenwire.protocol.v1.venue_private import PrivateSubscribe as SubscribeV1
from krakenwire.protocol.v2.client import ClientCodec as CodecV2
from krakenwire.protocol.v2.venue_private import PrivateSubscribe as SubscribeV2
from krakenwire.session.account import AccountState
from krakenwire.venue.front import Front, Told
from krakenwire.venue.gateways import private_v1, private_v2
from krakenwire.venue.trading import Account

V1 = ("openOrders", "ownTrades")
V2 = ("executions", "balances")


class Quiet:
    """No way in: requests go to the exchange itself."""

    def reached(self) -> None: ...


class Permit:
    """Whoever asks may look at one account."""

    def __init__(self, account: Account) -> None:
        self.of = account

    def account(self, token: str, asked: str, now_ns: int) -> Account:
        del token, asked, now_ns
        return self.of

    def keep(self, token: str, holder: object) -> None: ...

    def release(self, token: str, holder: object) -> None: ...


class Watcher:
    """One connection that follows an account, and the state its client keeps."""

    def __init__(self, front: Front, version: int) -> None:
        self.front, self.version = front, version
        self.channels = V1 if version == 1 else V2
        self.codec: Any = CodecV1() if version == 1 else CodecV2()
        self.state = AccountState(self.channels)
        self.half: Any = None

    def connect(self, now_ns: int) -> None:
        self.half = (private_v1 if self.version == 1 else private_v2).PrivateHalf(self.front, self)
        for name in self.channels:
            asked: Any = (
                SubscribeV1(event="subscribe", channel=name, token="t")
                if self.version == 1
                else SubscribeV2(channel=name, token="t", snap_trades=True)
            )
            frames = self.half.answer(asked, now_ns) if self.version == 1 else self.half.subscribe(asked, now_ns)
            self.read(frames[1:])

    def cut(self) -> None:
        self.half.close()
        self.state.disconnected()

    def tell(self, told: Told) -> Sequence[str]:
        return self.half.tell(told)  # type: ignore[no-any-return]  # either half

    def read(self, frames: Sequence[str]) -> None:
        for frame in frames:
            for event in self.codec.decode(frame):
                assert isinstance(event, Executions | Balances | BalanceChanges), event
                self.state.feed(event)


def check(watcher: Watcher, account: Account, floor: Floor) -> None:
    """What the client knows is what the venue knows."""
    state, records = watcher.state, watcher.front.records
    assert state.in_step
    assert state.counters.duplicates == state.counters.gaps == 0
    # An entry of v1 that tells an amended order in full tells it as it is by then: its end may come a second time.
    assert watcher.version == 1 or state.counters.late == 0
    assert set(state.open_orders) == {order.order_id for order in account.open_orders.values()}
    for order in account.open_orders.values():
        same(state.open_orders[order.order_id], records.order(order))
    assert not set(state.fills) - {records.exec_id(fill) for fill in account.fills}
    if watcher.version == 2:
        for asset, units in account.balances.items():
            held = Decimal(units).scaleb(-floor.ledger.decimals[asset])
            assert state.balances.get(asset, Decimal(0)) == held


def same(order: OrderState, record: Any) -> None:
    """An order is known as it is."""
    assert order.symbol == record.symbol
    assert (order.side, order.order_type) == (record.side, record.order_type)
    assert (order.order_qty if order.order_qty is not None else order.cash_order_qty) == record.order_qty
    assert (order.cum_qty or 0) == record.cum_qty
    assert order.cl_ord_id == record.cl_ord_id
    assert order.post_only == record.post_only
    assert {"pending": "pending_new", "closed": "filled"}.get(record.status) in (None, order.status)
    assert order.is_open == (record.status in ("pending", "open"))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_a_client_that_is_told_knows_what_the_venue_knows(version: int, seed: int) -> None:
    floor = Floor()
    crowd = Crowd(floor, seed)
    account = crowd.accounts[1]
    front = Front(floor.exchange, Quiet(), Permit(account))  # type: ignore[arg-type]  # as far as it is used
    watcher, chance = Watcher(front, version), Random(seed)
    watcher.connect(floor.now_ns)
    connected, ended = True, 0
    for step in range(800):
        crowd.act()
        floor.check()
        for frame, _ in front.news():
            watcher.read([frame])
        if connected and step % 25 == 0:
            check(watcher, account, floor)
        if chance.random() < (0.02 if connected else 0.2):
            if connected:
                watcher.cut()
            else:
                watcher.connect(floor.now_ns)
                for order_id in list(watcher.state.adrift):
                    settled = watcher.state.settle(front.records.order(account.orders_seen[order_id]))
                    assert settled is not None
                    ended += 1
                assert not watcher.state.adrift
            connected = not connected
    for order_id, order in watcher.state.closed_orders.items():
        record = front.records.order(account.orders_seen[order_id])
        assert {"closed": "filled"}.get(record.status, record.status) == order.status
        assert (order.cum_qty or 0) == record.cum_qty
    assert ended, "some orders must have ended unseen"
    assert len(watcher.state.fills) > 50


# -- both channels of v1 in any order ------------------------------------------------


class Life:
    """What an account is told on v1's two channels, one connection after the other."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.orders: dict[str, list[int]] = {}
        self.trades: list[Execution] = []
        self.connections: list[tuple[list[Executions], list[Executions]]] = []
        self.count = 0

    def row(self, order_id: str, exec_type: Any, status: Any, **more: Any) -> Execution:
        return Execution(order_id=order_id, exec_type=exec_type, order_status=status, time_ns=self.count, **more)

    def whole(self, order_id: str, exec_type: Any, status: Any) -> Execution:
        qty, done = self.orders[order_id]
        told: dict[str, Any] = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit"}
        return self.row(order_id, exec_type, status, order_qty=Decimal(qty), cum_qty=Decimal(done), **told)

    def trade(self, order_id: str, qty: int) -> Execution:
        told: dict[str, Any] = {"symbol": "BTC/USD", "side": "buy", "last_price": Decimal(self.count)}
        return self.row(order_id, "trade", "partially_filled", exec_id=f"T{self.count}", last_qty=Decimal(qty), **told)

    def happen(self) -> tuple[list[Execution], list[Execution]]:
        """One thing: what `openOrders` and what `ownTrades` say of it."""
        self.count += 1
        if not self.orders or self.chance.random() < 0.4:
            order_id = f"O{self.count}"
            self.orders[order_id] = [self.chance.randint(1, 3), 0]
            return [self.whole(order_id, "pending_new", "pending_new"), self.row(order_id, "new", "new")], []
        order_id = self.chance.choice(list(self.orders))
        order = self.orders[order_id]
        if self.chance.random() < 0.2:
            del self.orders[order_id]
            return [self.row(order_id, "canceled", "canceled", cum_qty=Decimal(order[1]))], []
        order[1] += 1
        self.trades.append(self.trade(order_id, 1))
        told = [self.row(order_id, "status", "partially_filled", cum_qty=Decimal(order[1]))]
        if order[0] == order[1]:
            del self.orders[order_id]
            told.append(self.row(order_id, "filled", "filled", cum_qty=Decimal(order[1])))
        return told, self.trades[-1:]

    def connect(self, seen: int, unseen: int) -> None:
        """Let things happen unseen, then on a connection."""
        for _ in range(unseen):
            self.happen()
        snapshots = (
            [
                self.whole(order_id, "new", "partially_filled" if done else "new")
                for order_id, (_, done) in self.orders.items()
            ],
            self.trades[-50:][::-1],
        )
        told: list[tuple[list[Execution], list[Execution]]] = [self.happen() for _ in range(seen)]
        lines = ([row for rows, _ in told for row in rows], [row for _, rows in told for row in rows])
        self.connections.append(
            (channel("openOrders", snapshots[0], lines[0]), channel("ownTrades", snapshots[1], lines[1]))
        )


def channel(source: Any, snapshot: list[Execution], updates: list[Execution]) -> list[Executions]:
    first = Executions(kind="snapshot", executions=tuple(snapshot), sequence=1, source=source)
    rest = (
        Executions(kind="update", executions=(row,), sequence=2 + n, source=source) for n, row in enumerate(updates)
    )
    return [first, *rest]


def state_after(life: Life, chance: Random | None) -> AccountState:
    """The state when the channels came in some order; the one after the other when there is no chance."""
    state = AccountState(V1)
    for lines in life.connections:
        orders, trades = map(list, lines)
        while orders or trades:
            first = bool(orders) if chance is None else not trades or (bool(orders) and chance.random() < 0.5)
            state.feed((orders if first else trades).pop(0))
        state.disconnected()
    return state


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 1 << 32),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), min_size=1, max_size=3),
    st.integers(0, 1 << 32),
)
def test_it_does_not_matter_which_of_v1s_channels_is_ahead(
    seed: int, connections: list[tuple[int, int]], order: int
) -> None:
    life = Life(Random(seed))
    for seen, unseen in connections:
        life.connect(seen, unseen)
    one, other = state_after(life, None), state_after(life, Random(order))
    assert other.open_orders == one.open_orders
    assert other.closed_orders == one.closed_orders
    assert other.adrift == one.adrift
    assert list(other.fills.items()) == list(one.fills.items())
    assert other.counters == one.counters
    for order_id, (_, done) in life.orders.items():
        assert one.open_orders[order_id].cum_qty in (done, None if done == 0 else done)
    assert all(state.status in ENDED for state in one.closed_orders.values())
