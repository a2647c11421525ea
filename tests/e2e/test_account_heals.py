"""After a gap the streams of an account hear by themselves of what happened in it, over real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from tests.cards.card import SYMBOL, order
from tests.cards.play import PATIENT, QUICK, STYLES, Player, waiting
from tests.cards.stage import Stage
from tests.conformance.styles import PATIENCE_S, take_until

from krakenwire.model import Added, CancelOrders, Fill, OrderState, Outcome
from krakenwire.testing import local_kraken
from krakenwire.testing.proxy import FaultProxy

Away = Callable[[Callable[[], object]], None]


@pytest.fixture
def proxy(stage: Stage) -> Iterator[FaultProxy]:
    with FaultProxy(stage.server.port) as between:
        yield between


@pytest.fixture
def player(proxy: FaultProxy, style: str, version: int) -> Iterator[Player]:
    client = Player(style, version, proxy.url, **QUICK)
    yield client
    client.close()


@pytest.fixture
def away(proxy: FaultProxy) -> Away:
    """Has something happen while the client has no connection and can have none."""

    def away(happens: Callable[[], object]) -> None:
        proxy.refuse()
        proxy.cut()
        happens()
        proxy.refuse(False)

    return away


def placed(outcome: Outcome) -> str:
    assert isinstance(outcome.answer, Added), outcome
    return outcome.answer.order_id


def test_the_end_of_an_order_and_its_last_fill_are_told_without_another_call(
    stage: Stage, player: Player, away: Away
) -> None:
    fills = player.style.stream("fills")
    order_id = placed(player.send(order("sell", "0.1", "50000.0")))

    def happens() -> None:
        stage.act("dave", order("buy", "0.03"))
        stage.tick()
        stage.act("ann", CancelOrders(order_ids=(order_id,)))

    away(happens)
    fill = fills.next(PATIENCE_S)
    assert isinstance(fill, Fill)
    assert (fill.order_id, fill.qty, [fill.exec_id]) == (order_id, Decimal("0.03"), stage.fill_ids())
    ended = take_until(player.changes, lambda change: not change.is_open, timeout=PATIENCE_S)
    assert isinstance(ended, OrderState)
    assert (ended.order_id, ended.status, ended.cum_qty) == (order_id, "canceled", Decimal("0.03"))
    player.catch_up()
    assert not list(waiting(fills))
    assert not list(waiting(player.changes))


def test_more_fills_than_a_snapshot_holds_are_told_without_another_call(
    stage: Stage, player: Player, away: Away
) -> None:
    fills = player.style.stream("fills", queue=10_000)
    order_id = placed(player.send(order("sell", "0.06", "50000.0")))

    def happens() -> None:
        for _ in range(60):
            stage.tick()
            stage.act("dave", order("buy", "0.001"))

    away(happens)
    told = [fills.next(PATIENCE_S).exec_id for _ in range(60)]
    assert sorted(told) == sorted(stage.fill_ids())
    ended = take_until(player.changes, lambda change: not change.is_open, timeout=PATIENCE_S)
    assert (ended.order_id, ended.status, ended.cum_qty) == (order_id, "filled", Decimal("0.06"))
    player.catch_up()
    assert not list(waiting(fills))


def test_an_order_that_rest_did_not_tell_at_first_is_asked_for_again(style: str, version: int) -> None:
    """With the connections of a local Kraken cut, others trading meanwhile, and REST refusing the first call."""
    with local_kraken(symbols=[SYMBOL], rate=1) as venue:
        settings = {**PATIENT, **QUICK, "pause_s": 0.5, "pause_max_s": 0.5}
        client = STYLES[style](
            venue.ws_v2 if version == 2 else venue.ws_v1,
            version=version,
            credentials=(venue.key, venue.secret),
            **settings,
        )
        try:
            changes = client.stream("orders")
            resting = order("buy", "0.01", "20000.0")
            ask = client.kraken.send(resting)
            order_id = placed(client.run(ask) if style == "aio" else ask)
            venue.fail("QueryOrders", "EService:Busy")
            assert venue.cut_connections(account="demo") == 1
            venue.act("demo", CancelOrders(order_ids=(order_id,)))
            ended = take_until(changes, lambda change: not change.is_open, timeout=PATIENCE_S)
            assert (ended.order_id, ended.status) == (order_id, "canceled")
        finally:
            client.close()
