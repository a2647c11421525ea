"""Carries out a card with one client of any style and version, and compares what came of it with the card.

What the client was told, what it keeps, what REST says and what the venue's
books say are four witnesses of the same events: each has to agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final, TypeVar

import pytest
from msgspec import structs
from tests.cards.card import SYMBOL, Ask, Card, Index, Mode, Other, Passes, Prints
from tests.cards.stage import SECRET, Loop, Stage, stage_of
from tests.cards.words import (
    check_statuses,
    fill_facts,
    fill_text,
    new_ids,
    only,
    order_text,
    spoken,
    told_answers,
    trade_facts,
    usual_answers,
    without,
    worded,
)
from tests.conformance.styles import PATIENCE_S, Aio, Blocking, Reader, Threaded

from krakenwire.errors import OrderCheckError, UsageError, WaitTimeout
from krakenwire.model import (
    AddOrder,
    BatchAdd,
    Execution,
    Fill,
    OrderState,
    Outcome,
    TradingRequest,
)

T = TypeVar("T")

STYLES: Final = {"blocking": Blocking, "threaded": Threaded, "aio": Aio}
VERSIONS: Final = (2, 1)
PATIENT: Final = dict.fromkeys(
    ("silence_s", "request_timeout_s", "connect_timeout_s", "reply_timeout_s", "snapshot_timeout_s"), PATIENCE_S
)
"""Settings for a machine that has other things to do: what takes long is not asked for again, and not given up."""
QUICK: Final[dict[str, Any]] = {"pause_s": 0.02, "pause_max_s": 0.1, "attempts_max": 1_000}
"""Settings for connections that are cut on purpose: the next attempt comes at once, and there are always more."""

_OFFSET_MAX_NS: Final = 10**15
"""A time below this is one after the card's beginning."""
_TIMES: Final = ("deadline_ns", "expire_time_ns", "effective_time_ns")
_AN_ORDER: Final = AddOrder(symbol=SYMBOL, side="buy", order_type="market", order_qty=Decimal("0.01"), validate=True)


class Player:
    """One client of ``ann``, whatever its style."""

    def __init__(self, style: str, version: int, url: str, **settings: Any) -> None:
        self.version = version
        self.style = STYLES[style](url, version=version, credentials=("ann", SECRET), **{**PATIENT, **settings})
        self.told = self.style.stream("executions", queue=10_000)
        self.changes = self.style.stream("orders", queue=10_000)
        assert self.open_orders() == {}

    def call(self, name: str, *args: Any, **how: Any) -> Any:
        method = getattr(self.style.kraken, name)
        if not isinstance(self.style, Aio):
            return method(*args, **how)

        async def called() -> Any:
            return await method(*args, **how)

        return self.style.run(called())

    def open_orders(self) -> dict[str, OrderState]:
        found = self.call("open_orders", timeout=PATIENCE_S)
        assert isinstance(found, dict)
        return found

    def fills(self) -> list[Fill]:
        found = self.call("fills", timeout=PATIENCE_S)
        assert isinstance(found, list)
        return found

    def send(self, request: TradingRequest) -> Outcome:
        outcome = self.call("send", request)
        assert isinstance(outcome, Outcome)
        return outcome

    def rest(self, question: Callable[[Any], T]) -> T:
        if isinstance(self.style, Aio):
            answer: T = self.call("ask_rest", question)
            return answer
        return question(self.style.kraken.rest)

    def catch_up(self) -> None:
        """Return when everything has been received that has happened: what is asked now is answered behind it.

        An answer that is lost with its connection, which was cut just before, proves nothing.
        """
        outcomes = (self.send(_AN_ORDER) for _ in range(10))
        assert any(outcome.sent_ns is not None and not outcome.unknown for outcome in outcomes)

    def close(self) -> None:
        self.style.close()


def waiting(reader: Reader) -> Iterator[Any]:
    """What has come and was not read."""
    with suppress(WaitTimeout):
        while True:
            yield reader.next(timeout=0)


class Play:
    """One card on its way."""

    def __init__(self, card: Card, stage: Stage, player: Player) -> None:
        self.card, self.stage, self.player = card, stage, player
        self.began_ns = stage.clock.at_ns
        self.ids: dict[str, str] = {}

    # -- the steps -----------------------------------------------------------------

    def run(self) -> None:
        for step in self.card.steps:
            self.stage.tick()
            if isinstance(step, Ask):
                self._ask(step)
            elif isinstance(step, Other):
                self.stage.act(step.who, step.request)
            elif isinstance(step, Prints):
                self.stage.print(step.price)
            elif isinstance(step, Index):
                self.stage.index(step.price)
            elif isinstance(step, Passes):
                self.stage.passes(step.seconds)
            elif isinstance(step, Mode):
                self.stage.set_status(step.status)

    def _ask(self, step: Ask) -> None:
        said = step.v1 if self.player.version == 1 and step.v1 is not None else step.request
        request = self._placed(said)
        if step.early:
            with pytest.raises(OrderCheckError) as refusal:
                self.player.send(request)
            assert (refusal.value.error,) == step.answers
            with_check_off(self.player, self.stage.url, request, step.answers)
            return
        outcome = self.player.send(request)
        assert told_answers(outcome) == worded(step.answers or usual_answers(request), self.player.version)
        for name, order_id in zip(step.names.split(), new_ids(outcome), strict=False):
            if order_id:
                self.ids[name] = order_id

    def _placed(self, request: Any) -> Any:
        """A request with ids for letters, and moments for times."""
        changes: dict[str, Any] = {}
        for name in set(request.__struct_fields__) & {"order_id", *_TIMES}:
            value = getattr(request, name)
            if isinstance(value, str):
                changes[name] = self.ids.get(value, value)
            elif value is not None and abs(value) < _OFFSET_MAX_NS:
                changes[name] = self.began_ns + value
        if "order_ids" in request.__struct_fields__:
            changes["order_ids"] = tuple(self.ids.get(text, text) for text in request.order_ids)
        if isinstance(request, BatchAdd):
            changes["orders"] = tuple(map(self._placed, request.orders))
        return structs.replace(request, **changes)

    # -- the witnesses -----------------------------------------------------------------

    def check(self) -> None:
        player = self.player
        player.catch_up()
        rows = list(waiting(player.told))
        self._name_secondaries(rows)
        self._check_told(rows)
        states = {state.order_id: state for state in waiting(player.changes)}
        self._check_orders(states)
        fills = player.fills()
        self._check_fills(fills)
        self._check_money(player.call("balances", timeout=PATIENCE_S), fills)
        assert set(self.stage.totals().values()) == {0}
        still_open = player.open_orders()
        assert {order_id: states[order_id] for order_id in still_open} == still_open
        assert {record.order_id for record in player.rest(lambda rest: rest.open_orders())} == set(still_open)
        self._check_records(states, fills)

    def _name_secondaries(self, rows: Iterable[Execution]) -> None:
        """The first order that a fill of A has placed is A1."""
        counts: dict[str, int] = defaultdict(int)
        letters = {order_id: name for name, order_id in self.ids.items()}
        for row in rows:
            if row.order_id not in letters and row.ord_ref_id is not None:
                parent = letters[row.ord_ref_id]
                counts[parent] += 1
                letters[row.order_id] = f"{parent}{counts[parent]}"
        self.ids = {name: order_id for order_id, name in letters.items()}
        self.letters = letters

    def _check_told(self, rows: list[Execution]) -> None:
        expected = self.card.told
        if self.player.version == 1:
            self._check_told_v1(rows, self.card.told_v1 or expected)
            return
        assert spoken(rows, self.letters) == expected
        check_statuses(rows)

    def _check_told_v1(self, rows: list[Execution], expected: str) -> None:
        """Version 1 tells orders and trades on two channels, and neither refills nor triggers."""
        orders = [row for row in rows if row.exec_id is None and row.exec_type != "status"]
        trades = [row for row in rows if row.exec_id is not None]
        assert spoken(orders, self.letters) == without(expected, "trade", "status", "iceberg_refill")
        assert spoken(trades, self.letters) == only(expected, "trade")

    def _check_orders(self, states: dict[str, OrderState]) -> None:
        found = {self.letters[order_id]: order_text(state) for order_id, state in states.items()}
        assert found == dict(self.card.orders)

    def _check_fills(self, fills: list[Fill]) -> None:
        found = [fill_text(fill, self.letters[fill.order_id]) for fill in fills]
        expected = list(self.card.fills)
        if self.player.version == 1:  # which does not say who made and who took
            expected = [text.replace(" maker ", " ").replace(" taker ", " ") for text in expected]
        assert found == expected

    def _check_money(self, balances: dict[str, Decimal], fills: list[Fill]) -> None:
        expected = {asset: Decimal(text) for asset, text in {**self.card.funds, **self.card.balances}.items()}
        assert {asset: amount for asset, amount in balances.items() if amount} == {
            asset: amount for asset, amount in expected.items() if amount
        }
        rows = self.player.rest(lambda rest: rest.balances_ex())
        assert {row.asset: row.balance for row in rows if row.balance} == {k: v for k, v in expected.items() if v}
        held = {row.asset: row.held for row in rows if row.held}
        assert held == {asset: Decimal(text) for asset, text in self.card.holds.items()}
        entries = self.player.rest(lambda rest: rest.ledgers()).records
        for asset, amount in expected.items():
            newest = next((entry for entry in entries if entry.asset == asset), None)
            assert (newest.balance if newest is not None else Decimal(0)) == amount
        traded = {fill.exec_id for fill in fills}
        assert {entry.ref_id for entry in entries if entry.type in ("trade", "margin")} == traded

    def _check_records(self, states: dict[str, OrderState], fills: list[Fill]) -> None:
        """What REST says of orders and fills."""
        if states:
            ids = list(states)
            records = self.player.rest(lambda rest: rest.query_orders(ids, trades=True))
            assert {record.order_id for record in records} == set(states)
            for record in records:
                state = states[record.order_id]
                assert RECORD_STATUS[state.status] == record.status
                assert (state.cum_qty or 0, state.cum_cost or 0) == (record.cum_qty, record.cum_cost)
                assert [fill.exec_id for fill in fills if fill.order_id == record.order_id] == list(record.exec_ids)
                assert record.status not in ("canceled", "closed") or (record.reason or None) == state.reason
        trades = self.player.rest(lambda rest: rest.trades_history()).records
        assert {trade.exec_id: trade_facts(trade) for trade in trades} == {
            fill.exec_id: fill_facts(fill) for fill in fills
        }


RECORD_STATUS: Final = {
    "pending_new": "pending",
    "new": "open",
    "partially_filled": "open",
    "filled": "closed",
    "canceled": "canceled",
    "expired": "expired",
}


def play(loop: Loop, card: Card, style: str, version: int) -> None:
    """Carry out a card and compare; or, on version 1, see that it says what it has no word for."""
    with stage_of(loop, card) as stage:
        player = Player(style, version, stage.url, pace=card.paced)
        try:
            performance = Play(card, stage, player)
            if version == 1 and card.v1:
                with pytest.raises(UsageError, match=card.v1):
                    performance.run()
                return
            performance.run()
            performance.check()
        finally:
            player.close()


def with_check_off(player: Player, url: str, request: TradingRequest, answers: tuple[str, ...]) -> None:
    """The venue says the same as the client that would not send it, as its version words it."""
    bold = Blocking(url, version=player.version, credentials=("ann", SECRET), check_orders=False, **PATIENT)
    try:
        assert told_answers(bold.kraken.send(request)) == worded(answers, player.version)
    finally:
        bold.close()
