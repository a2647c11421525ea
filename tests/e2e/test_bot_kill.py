"""A bot that trades, killed at any moment: nothing is sent twice, nothing lost, nothing counted twice."""

from __future__ import annotations

import time
from collections import Counter
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from random import Random
from typing import Final

from tests.e2e.bot_process import RESTLESS, World, world

from krakenwire.model.records import TradeRecord
from krakenwire.storage.bot_folder import BotFolder, request_stop
from krakenwire.trading.stops import StopLevel

UNIT: Final = Decimal("0.0001")
_START_S: Final = 1.2
"""About what a start takes: kills before it are in the middle of recovery."""


def test_orders_fills_and_money_are_the_venues_to_the_last_digit_however_often_it_is_killed(
    tmp_path: Path, nightly: bool
) -> None:
    kills, chance = 100 if nightly else 3, Random(7)
    with world(tmp_path) as here:
        here.strategy(RESTLESS)
        for number in range(kills):
            with here.bot() as bot:
                if number % 3 == 1:
                    time.sleep(chance.uniform(0.1, _START_S))
                else:
                    assert bot.says("orders pass"), bot.lines
                    time.sleep(chance.uniform(0, 1.5))
                bot.kill()
        with here.bot() as bot:
            assert bot.says("orders pass"), bot.lines
            request = request_stop(here.data, StopLevel.CANCEL_OWN, "the end of a test")
            while request.exists():
                assert bot.process.poll() is None, bot.lines
                time.sleep(0.05)
            assert bot.end() == 0, bot.lines
            assert bot.result()["error"] is None
        compare(here, kills)


def signed(trade: TradeRecord) -> Decimal:
    return trade.qty if trade.side == "buy" else -trade.qty


def posted(trade: TradeRecord) -> Decimal:
    """What a fill has taken from the cash: the venue keeps accounts in four decimals and cuts costs to them."""
    cost = (trade.price * trade.qty).quantize(UNIT, ROUND_DOWN)
    return (cost if trade.side == "buy" else -cost) + trade.fee


def compare(here: World, kills: int) -> None:
    """Lay the journal beside what the venue says."""
    with here.rest() as rest:
        assert not rest.open_orders()
        closed = list(rest.all_closed_orders())
        fills = {trade.exec_id: trade for trade in rest.all_trades()}
        balances = dict(rest.balances())
    with BotFolder(here.data) as folder:
        known = folder.journal.known
    names = Counter(order.cl_ord_id for order in closed)
    assert max(names.values()) == 1, "an intent was sent twice"
    assert set(names) <= set(known.orders), "an order that was not written down"
    assert known.exec_ids == set(fills), "fills lost or made up"
    assert not known.surprises
    assert not known.open
    at_venue = {order.cl_ord_id: order.cum_qty for order in closed}
    assert {name: order.filled for name, order in known.orders.items() if order.filled} == {
        name: qty for name, qty in at_venue.items() if qty
    }
    assert known.baseline is not None
    expected = {asset: amount + known.changes.get(asset, Decimal(0)) for asset, amount in known.baseline.items()}
    assert expected == balances
    assert sum(signed(trade) for trade in fills.values()) == balances["BTC"] - 100 == known.totals["BTC"]
    paid = sum(posted(trade) for trade in fills.values())
    assert balances["USD"] - 1_000_000 == -paid
    assert abs(known.totals["USD"] + paid) < len(fills) * UNIT
    never = sum(order.step == "never" for order in known.orders.values())
    print(f"{kills} kills, {len(known.orders)} orders, {never} never sent, {len(fills)} fills: {balances}")  # noqa: T201 - the figures of a nightly run
    assert len(fills) > kills
