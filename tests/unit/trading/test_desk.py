"""The life of an order at the desk, with a broker that says what the test says: states, money, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from krakenwire.errors import RiskRefusal
from krakenwire.model.rows import Listing
from krakenwire.trading.actions import Actions, ids_from
from krakenwire.trading.desk import Desk, FeeRates
from krakenwire.trading.intents import Intent
from krakenwire.trading.markets import SymbolMarket
from krakenwire.trading.orders import Order
from krakenwire.trading.portfolio import Portfolio
from krakenwire.trading.ports import AllowAll
from krakenwire.trading.run_records import DecisionRow, NoteRow, OrderRow
from krakenwire.trading.run_result import RunLog
from krakenwire.trading.targets import Target, Targets

SYMBOL = "BTC/USD"
LISTING = Listing(
    symbol=SYMBOL, price_decimals=1, tick=5, lot=1000, qty_min=Decimal("0.001"), cost_min=Decimal(5), depth=10
)


class Book:
    """A book of one level a side."""

    live, time_ns, bid_ticks, ask_ticks = True, 0, 990, 1010

    @property
    def touch_sum(self) -> int:
        return self.bid_ticks + self.ask_ticks if self.live and self.bid_ticks and self.ask_ticks else 0


class Clock:
    now_ns = 1_000


_EUR = SymbolMarket(2, msgspec.structs.replace(LISTING, symbol="EUR/USD"), Book())


class Stage:
    """A desk, its money, and a broker and a journal that keep what they are given."""

    def __init__(self, *, usd: str = "1000", btc: str = "2", risk: Any = None, margin: bool = False) -> None:
        self.book, self.clock, self.log = Book(), Clock(), RunLog()
        market = SymbolMarket(0, LISTING, self.book)
        self.portfolio = Portfolio({"USD": Decimal(usd), "BTC": Decimal(btc)}, "USD", (market,))
        fees = FeeRates(maker=Decimal("0.01"), taker=Decimal("0.02"))
        self.sent: list[tuple[Any, ...]] = []
        self.written: list[tuple[Any, ...]] = []
        self.desk = Desk(
            self.clock,
            (market,),
            self.portfolio,
            self.log,
            risk=risk or AllowAll(),
            journal=_Keeper(self.written, self.sent),
            fees=fees,
            margin=margin,
        )
        self.desk.broker = _Keeper(self.sent, None)
        self.actions = Actions(self.desk, ids_from("b"))
        self.told: list[str] = []
        self.desk.on_order = lambda order: self.told.append(order.state)

    def buy(self, qty: str = "1", limit: str | None = "100", **more: Any) -> Order:
        return self.actions.place("buy", SYMBOL, qty, limit, **more)

    def sell(self, qty: str = "1", limit: str | None = "100", **more: Any) -> Order:
        return self.actions.place("sell", SYMBOL, qty, limit, **more)

    def fill(self, order: Order, qty: str, price: str = "100", exec_id: str = "e1", fee: str = "0") -> None:
        self.desk.filled(order, exec_id, Decimal(price), Decimal(qty), Decimal(fee), True, 5)

    def free(self, asset: str = "USD") -> Decimal:
        return self.portfolio.available(asset)


class _Keeper:
    """A broker or a journal: keeps what it is given, and how much had been sent by then."""

    def __init__(self, kept: list[tuple[Any, ...]], sent: list[tuple[Any, ...]] | None) -> None:
        self._kept, self._sent = kept, sent

    def _keep(self, what: str, *parts: Any) -> None:
        self._kept.append((what, *parts) if self._sent is None else (what, len(self._sent)))

    def intent(self, intent: Intent) -> None:
        self._keep("intent", intent)

    def submit(self, order: Order) -> None:
        self._keep("submit", order.id)

    def amend(self, order: Order, limit: Decimal | None, qty: Decimal) -> None:
        self._keep("amend", order.id, limit, qty)

    def cancel(self, order: Order) -> None:
        self._keep("cancel", order.id)


# -- a life -----------------------------------------------------------------------------


def test_an_order_is_written_down_before_it_is_sent_and_sent_once() -> None:
    stage = Stage()
    order = stage.buy()
    assert stage.desk.amend(order, Decimal("99.5"), None)
    assert stage.desk.cancel(order)
    assert [what for what, *_ in stage.sent] == ["submit", "amend", "cancel"]
    assert stage.written == [("intent", 0), ("amend", 1), ("cancel", 2)]


def test_an_order_lives_from_intent_to_filled_and_every_step_is_a_row() -> None:
    stage = Stage()
    order = stage.buy("1", "100")
    stage.desk.accepted(order, "O1")
    stage.fill(order, "0.25", "99")
    assert (order.state, order.filled, order.left, order.avg_price) == (
        "partly_filled",
        Decimal("0.25"),
        Decimal("0.75"),
        Decimal(99),
    )
    stage.fill(order, "0.75", "100", "e2")
    rows = [row for row in stage.log.rows() if isinstance(row, OrderRow)]
    assert [row.state for row in rows] == ["intent", "sent", "open", "partly_filled", "filled"]
    assert [row.filled for row in rows] == [0, 0, 0, Decimal("0.25"), 1]
    assert stage.told == ["open", "partly_filled", "filled"]
    assert (order.cost, order.venue_id, stage.desk.open) == (Decimal("99.75"), "O1", {})


def test_a_fill_that_is_told_twice_counts_once() -> None:
    stage = Stage()
    order = stage.buy()
    for _ in range(2):
        stage.fill(order, "0.5", fee="1")
    assert (order.filled, stage.portfolio.position(SYMBOL), stage.portfolio.cash) == (
        Decimal("0.5"),
        Decimal("2.5"),
        Decimal(949),
    )


def test_a_fill_that_comes_after_the_end_counts_and_wakes_no_order() -> None:
    stage = Stage()
    order = stage.buy()
    stage.desk.ended(order, "canceled")
    stage.fill(order, "0.5")
    assert (order.state, order.filled, stage.portfolio.position(SYMBOL)) == ("canceled", Decimal("0.5"), Decimal("2.5"))
    assert stage.free() == 950


def test_an_unknown_order_stays_open_with_its_money_held_until_there_is_evidence() -> None:
    stage = Stage()
    order = stage.buy("1", "100")
    stage.desk.unknown(order, "no answer")
    assert (order.state, order.is_open, stage.free()) == ("unknown", True, Decimal(898))
    stage.desk.accepted(order, "O1")
    assert (order.state, stage.told) == ("open", ["unknown", "open"])
    lost = stage.buy("1", "100")
    stage.desk.unknown(lost, "no answer")
    stage.desk.refused(lost, "never arrived")
    assert (lost.state, stage.free()) == ("refused", Decimal(898))


@pytest.mark.parametrize("state", ["canceled", "expired", "refused"])
def test_an_order_that_is_over_stays_over_and_holds_nothing(state: Any) -> None:
    stage = Stage()
    order = stage.buy()
    stage.desk.ended(order, state, "words")
    for late in (stage.desk.accepted, lambda o: stage.desk.ended(o, "filled"), lambda o: stage.desk.unknown(o, "")):
        late(order)
    assert (order.state, order.reason, stage.free()) == (state, "words", Decimal(1000))
    assert not stage.desk.cancel(order)
    assert not stage.desk.amend(order, Decimal(90), None)
    assert stage.told == [state]


def test_a_cancel_is_asked_once_and_again_after_it_was_refused() -> None:
    stage = Stage()
    order = stage.buy()
    assert [stage.desk.cancel(order), stage.desk.cancel(order)] == [True, False]
    stage.desk.cancel_refused(order, "EOrder:Unknown order")
    assert stage.desk.cancel(order)
    assert [what for what, *_ in stage.sent] == ["submit", "cancel", "cancel"]


# -- money ------------------------------------------------------------------------------


def test_what_an_open_order_may_take_is_held_with_its_fee_and_let_go_with_it() -> None:
    stage = Stage()
    first, maker, sale = stage.buy("2", "100"), stage.buy("1", "100", post_only=True), stage.sell("0.5", "200")
    assert stage.free() == 1000 - 204 - 101
    assert stage.free("BTC") == Decimal("1.5")
    stage.fill(first, "1", "90")
    assert stage.free() == 1000 - 90 - 102 - 101
    stage.desk.ended(first, "canceled")
    stage.desk.ended(maker, "canceled")
    stage.desk.ended(sale, "canceled")
    assert (stage.free(), stage.free("BTC")) == (910, 3)


def test_the_worse_figures_are_held_while_an_amend_is_under_way() -> None:
    stage = Stage()
    order = stage.buy("1", "100")
    assert stage.desk.amend(order, Decimal(200), Decimal(2))
    assert stage.free() == 1000 - 408
    assert not stage.desk.amend(order, Decimal(50), None)  # one at a time
    stage.desk.amend_refused(order, "no")
    assert (stage.free(), order.limit, order.qty) == (898, 100, 1)
    assert stage.desk.amend(order, Decimal(50), None)
    assert stage.free() == 898
    stage.desk.amended(order)
    assert (stage.free(), order.limit, order.price_ticks) == (949, 50, 500)


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        (lambda stage: stage.buy("10", "100"), "cash"),
        (lambda stage: stage.buy("9.8", "100"), ""),
        (lambda stage: stage.buy("9.9", None), "cash"),
        (lambda stage: stage.buy("9.5", None), ""),
        (lambda stage: stage.sell("2.1", "100"), "no_short"),
        (lambda stage: stage.sell("2", "100"), ""),
        (lambda stage: stage.buy("1", "100.1"), "price_step"),
        (lambda stage: stage.buy("1", "-1"), "price_step"),
        (lambda stage: stage.buy("1", "100", stop="100.01"), "price_step"),
        (lambda stage: stage.buy("0.000001", "100"), "qty_step"),
        (lambda stage: stage.buy("0.0001", "100"), "qty_min"),
        (lambda stage: stage.buy("0", "100"), "qty_min"),
        (lambda stage: stage.buy("0.01", "100"), "cost_min"),
        (lambda stage: stage.buy("1", "100", reduce_only=True), "reduce_only"),
        (lambda stage: stage.sell("1.5", "100", reduce_only=True), ""),
    ],
)
def test_what_cannot_be_paid_or_be_ordered_is_refused_by_a_rule_before_it_is_sent(
    place: Callable[[Stage], Order], rule: str
) -> None:
    stage = Stage()
    order = place(stage)
    if not rule:
        assert (order.state, len(stage.sent)) == ("sent", 1)
        return
    assert order.state == "refused"
    assert order.reason.startswith(f"refused by {rule}: ")
    assert (stage.sent, stage.written, stage.desk.open, stage.told) == ([], [], {}, [])
    assert (stage.free(), stage.free("BTC")) == (1000, 2)


def test_an_amend_that_would_turn_the_position_is_refused_to_an_order_that_may_only_reduce() -> None:
    stage = Stage(btc="2", margin=True)
    order = stage.sell("1", "100", reduce_only=True)
    assert not stage.desk.amend(order, None, Decimal("2.5"))
    assert stage.desk.amend(order, None, Decimal(2))
    assert stage.sell("0.5", "100", reduce_only=True).reason.startswith("refused by reduce_only")  # 2 may be sold
    stage.desk.amended(order)
    stage.fill(order, "0.5")
    stage.portfolio.apply(stage.desk.market(SYMBOL), "sell", Decimal(100), Decimal(1), Decimal(0))
    assert stage.desk.amend(order, None, Decimal("1.5"))  # still more than the position, but less than before


def test_an_order_that_may_only_reduce_counts_those_of_other_symbols_of_its_asset() -> None:
    stage = Stage(btc="2", margin=True)
    other = SymbolMarket(1, msgspec.structs.replace(LISTING, symbol="BTC/EUR"), stage.book)
    desk = Desk(
        stage.clock,
        (stage.desk.market(SYMBOL), other),
        Portfolio({"BTC": Decimal(2)}, "USD", (stage.desk.market(SYMBOL), other, _EUR)),
        stage.log,
        risk=AllowAll(),
        margin=True,
    )
    desk.broker = _Keeper([], None)
    place = Actions(desk, ids_from("b")).place
    assert place("sell", SYMBOL, "1.5", "100", reduce_only=True).state == "sent"
    assert place("sell", "BTC/EUR", "1", "100", reduce_only=True).state == "refused"
    assert place("sell", "BTC/EUR", "0.5", "100", reduce_only=True).state == "sent"


@pytest.mark.parametrize("margin", [False, True])
def test_a_market_order_that_takes_more_than_there_is_is_told(margin: bool) -> None:
    stage = Stage(margin=margin)
    order = stage.buy("9.5", None)
    stage.fill(order, "5", "101")
    stage.fill(order, "4.5", "150", exec_id="e2")
    told = [row.text for row in stage.log.rows() if isinstance(row, NoteRow) and row.kind == "overdrawn"]
    assert told == ([] if margin else ["-180.0 USD after a fill of b1: more than was held for it"])


def test_on_margin_it_may_be_sold_what_is_not_there() -> None:
    stage = Stage(btc="0", margin=True)
    order = stage.sell("1", "100")
    stage.fill(order, "1")
    assert (order.state, stage.portfolio.position(SYMBOL), stage.portfolio.equity) == ("filled", -1, 1000)


def test_an_order_at_the_market_needs_a_price_to_be_paid_by() -> None:
    stage = Stage()
    stage.book.live = False
    assert stage.buy("1", None).reason.startswith("refused by price_known")
    assert stage.sell("1", None).state == "sent"


def test_an_amend_is_judged_like_a_new_order() -> None:
    stage = Stage()
    order = stage.buy("1", "100")
    stage.fill(order, "0.5")
    for limit, qty in (("100.1", None), (None, "0.5"), (None, "20"), ("100", "1")):
        assert not stage.actions.amend(order, limit, qty)
    assert [what for what, *_ in stage.sent] == ["submit"]
    assert [row.text.split(":")[0] for row in stage.log.rows() if getattr(row, "kind", "") == "risk"] == [
        "refused by price_step",
        "refused by amend_qty",
        "refused by cash",
    ]


def test_a_limit_of_the_users_own_refuses_and_may_stop() -> None:
    class No(AllowAll):
        def check(self, intent: Intent, view: Any) -> Any:
            assert view.mid(intent.symbol) == 100
            assert view.position(intent.symbol) == 2
            assert view.book_age_ns(intent.symbol) == 1_000
            return RiskRefusal("daily_loss_max", limit=1, found=2, stops=True)

    stage = Stage(risk=No())
    stops: list[RiskRefusal] = []
    stage.desk.on_stop = stops.append
    order = stage.buy()
    assert (order.state, stage.sent, [each.rule for each in stops]) == ("refused", [], ["daily_loss_max"])
    rows = list(stage.log.rows())
    assert isinstance(rows[0], DecisionRow)
    assert rows[0].mid == 100


# -- targets ----------------------------------------------------------------------------


class Aimed(Stage):
    """A stage with targets, told of ends as the engine tells them."""

    def __init__(self) -> None:
        super().__init__(btc="0")
        self.targets = Targets(self.desk, self.actions.place)
        self.desk.on_order = lambda order: None if order.is_open else self.targets.order_ended(order)

    def aim(self, qty: str, limit: str | None = "100") -> Order | None:
        return self.targets.bring(SYMBOL, Target(Decimal(qty), None if limit is None else Decimal(limit), False, ""))

    @property
    def orders(self) -> list[tuple[str, Decimal]]:
        return [(order.side, order.left) for order in self.desk.open.values()]


def test_a_target_asked_again_does_nothing_again() -> None:
    stage = Aimed()
    order = stage.aim("2")
    assert order is not None
    assert stage.aim("2") is order
    stage.fill(order, "0.5")
    assert stage.aim("2") is order
    assert stage.orders == [("buy", Decimal("1.5"))]
    stage.fill(order, "1.5", exec_id="e2")
    assert stage.aim("2") is None
    assert len(stage.sent) == 1


def test_a_larger_target_orders_only_what_is_missing() -> None:
    stage = Aimed()
    stage.aim("1")
    stage.aim("1.5")
    assert stage.orders == [("buy", Decimal(1)), ("buy", Decimal("0.5"))]


@pytest.mark.parametrize(
    ("second", "limit", "filled", "then"),
    [
        ("0.5", "100", "0", [("buy", Decimal("0.5"))]),
        ("2", "101", "0", [("buy", Decimal(2))]),
        ("2", "101", "0.5", [("buy", Decimal("1.5"))]),
        ("0", "100", "0", []),
        ("0", "100", "0.5", [("sell", Decimal("0.5"))]),
        ("1", "100", "2", [("sell", Decimal(1))]),
    ],
)
def test_what_is_in_the_way_is_canceled_first_and_the_rest_is_ordered_when_it_is_over(
    second: str, limit: str, filled: str, then: list[tuple[str, Decimal]]
) -> None:
    stage = Aimed()
    order = stage.aim("2")
    assert order is not None
    assert stage.aim(second, limit) is None
    assert stage.orders == [("buy", Decimal(2))]  # until it is known to be over it may fill
    if Decimal(filled):
        stage.fill(order, filled)
    stage.desk.ended(order, "canceled")
    assert stage.orders == then


def test_a_target_that_comes_back_while_its_order_is_being_canceled_is_ordered_anew() -> None:
    stage = Aimed()
    order = stage.aim("2")
    assert order is not None
    stage.aim("0")
    assert stage.aim("2") is None
    assert len(stage.orders) == 1
    stage.desk.ended(order, "canceled")
    assert stage.orders == [("buy", Decimal(2))]


def test_an_order_that_ends_by_itself_is_not_placed_again() -> None:
    stage = Aimed()
    order = stage.aim("2")
    assert order is not None
    stage.desk.ended(order, "expired")
    assert stage.orders == []


def test_what_is_too_small_to_be_ordered_is_left_alone() -> None:
    stage = Aimed()
    assert stage.aim("0.0005") is None
    assert stage.aim("0.01", None) is None  # a dollar's worth: below the smallest cost
    assert stage.sent == []
