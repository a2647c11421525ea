"""The demo's trading act: one step when it is due, and an end at the first refusal."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from krakenwire.apps.demo_act import Act
from krakenwire.apps.kraken_threaded import Kraken
from krakenwire.errors import VenueRefusal
from krakenwire.model import Added, Amended, Canceled, Fee, Fill

BID, ASK = Decimal("1000.0"), Decimal("1000.2")
LENGTH_NS = 100


class Account:
    """Stands for a client: notes what it is asked for."""

    def __init__(self, *, rests: bool = True, refuses: bool = False) -> None:
        self.rests, self.refuses = rests, refuses
        self.asked: list[str] = []

    def balances(self) -> dict[str, Decimal]:
        return {"BTC": Decimal("5.000"), "USD": Decimal(len(self.asked))}

    def add_order(self, symbol: str, side: str, kind: str, qty: Decimal, price: Decimal, **how: object) -> Added:
        if self.refuses:
            raise VenueRefusal("EOrder:Insufficient funds", method="add_order")
        self.asked.append(f"{side} {qty} {symbol} {kind} {price} {how or ''}".strip())
        return Added(order_id=f"O{side}")

    def open_orders(self) -> dict[str, object]:
        return {"Obuy": None} if self.rests else {}

    def amend_order(self, order_id: str, *, limit_price: Decimal) -> Amended:
        self.asked.append(f"amend {order_id} {limit_price}")
        return Amended(amend_id="T", order_id=order_id)

    def cancel_order(self, order_id: str) -> tuple[Canceled, ...]:
        self.asked.append(f"cancel {order_id}")
        return (Canceled(order_id=order_id),)


def played(account: Account) -> tuple[Act, list[str]]:
    act = Act(cast("Kraken", account), "BTC/USD", 0, LENGTH_NS)
    lines = [act.step(BID, ASK, now_ns) for now_ns in range(LENGTH_NS)]
    return act, [f"{line.kind}: {line.text}" for line in lines if line is not None]


def test_it_places_away_amends_through_and_cancels_another() -> None:
    account = Account()
    act, lines = played(account)
    assert account.asked == [
        "buy 0.01 BTC/USD limit 990.0",
        "amend Obuy 1000.0",
        "amend Obuy 1001.2",
        "sell 0.01 BTC/USD limit 1010.2 {'post_only': True}",
        "cancel Osell",
    ]
    assert lines[0] == "balances: 5 BTC, 0 USD"
    assert lines[-1] == "balances: 5 BTC (+0), 5 USD (+5)"
    counted = act.counters
    assert (counted.placed, counted.amended, counted.canceled) == (2, 2, 1)


def test_an_order_that_has_filled_where_it_stood_is_not_amended_again() -> None:
    account = Account(rests=False)
    act, _ = played(account)
    assert act.counters.amended == 1


def test_a_refusal_is_told_and_ends_it() -> None:
    _, lines = played(Account(refuses=True))
    assert lines == ["balances: 5 BTC, 0 USD", "refused: add_order refused: EOrder:Insufficient funds"]


def test_nothing_is_done_before_there_is_a_price_or_its_time_has_come() -> None:
    account = Account()
    act = Act(cast("Kraken", account), "BTC/USD", 0, LENGTH_NS)
    assert act.step(None, None, LENGTH_NS) is None
    assert act.step(BID, ASK, 9) is None
    assert act.step(BID, ASK, 10) is not None
    assert act.step(BID, ASK, 10) is None


def test_a_fill_is_told_with_its_fee_and_counted() -> None:
    act = Act(cast("Kraken", Account()), "BTC/USD", 0, LENGTH_NS)
    fill = Fill(
        exec_id="T", order_id="Obuy", time_ns=0, symbol="BTC/USD", side="buy", qty=Decimal("0.0100"),
        price=Decimal("1000.20"), cost=Decimal(10), fees=(Fee(asset="USD", qty=Decimal("0.0260")),),
    )  # fmt: skip
    assert act.filled(fill).text == "buy 0.01 at 1000.2, fee 0.026 USD"
    assert act.counters.fills == 1
