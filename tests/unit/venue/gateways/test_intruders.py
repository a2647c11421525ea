"""One account tries what belongs to another, on every version: nothing moves, nothing is shown."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.conformance.house import REQ_ID, VERSIONS, Door, House, Version, secret

from krakenwire.model import (
    AmendOrder,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    EditOrder,
    TradingRequest,
)
from krakenwire.protocol.rest_body import form_body
from krakenwire.protocol.rest_sign import SignedCall, sign
from krakenwire.venue.trading import Account

UNKNOWN = "EOrder:Unknown order"
UNSEEN = "EOrder:Invalid order"
USERREF = 77


class Scene:
    """Ann has orders, fills and entries; Bob, with an order of his own, is at the door."""

    def __init__(self, version: Version) -> None:
        self.house, self.version = House(), version
        self.ann, self.bob = Door(self.house, "v2", "ann"), Door(self.house, version, "bob")
        self.open_id = self.ann.place(cl_ord_id="anns own")
        self.tagged_id = self.ann.place(order_userref=USERREF)
        self.ended_id = self.ann.place()
        self.ann.ask(CancelOrders(order_ids=(self.ended_id,)))
        self.traded_id = self.ann.place(order_type="market", limit_price=None)
        self.bobs_id = self.bob.place()
        self.before = self.state("ann")

    def state(self, name: str) -> tuple[object, ...]:
        """All that an account has, to the last unit."""
        account = self.house.account(name)
        orders = [(o.order_id, o.qty, o.price, o.filled, o.hold, o.amended) for o in account.open_orders.values()]
        held = {asset: units for asset, units in account.holds.items() if units}
        ended = [(order.order_id, order.phase) for order in account.closed_orders]
        return orders, ended, dict(account.balances), held, len(account.fills), len(account.entries), account.timer_ns

    @property
    def secrets(self) -> list[str]:
        """Every id by which something of Ann's could be told."""
        ann, records = self.house.account("ann"), self.house.records
        return [
            *ann.orders_seen,
            "anns own",
            *(records.trade(fill).exec_id for fill in ann.fills),
            *(records.entry(entry).ledger_id for entry in ann.entries),
        ]

    def shows_nothing_of_ann(self, *answers: Any) -> bool:
        told = msgspec.json.encode(answers).decode()
        return not any(secret in told for secret in self.secrets)


@pytest.fixture(params=VERSIONS)
def scene(request: pytest.FixtureRequest) -> Scene:
    return Scene(request.param)


Attempt = Callable[[Scene], TradingRequest]

REFUSED: tuple[tuple[str, Attempt], ...] = (
    ("cancel by order id", lambda scene: CancelOrders(order_ids=(scene.open_id,))),
    ("cancel by cl_ord_id", lambda _: CancelOrders(cl_ord_ids=("anns own",))),
    ("cancel by userref", lambda _: CancelOrders(order_userrefs=(USERREF,))),
    ("cancel what has ended", lambda scene: CancelOrders(order_ids=(scene.ended_id,))),
    ("amend by order id", lambda scene: AmendOrder(order_id=scene.open_id, order_qty=Decimal("0.02"))),
    ("amend by cl_ord_id", lambda _: AmendOrder(cl_ord_id="anns own", order_qty=Decimal("0.02"))),
    (
        "edit by order id",
        lambda scene: EditOrder(order_id=scene.open_id, symbol="BTC/USD", order_qty=Decimal("0.02")),
    ),
    ("edit by userref", lambda _: EditOrder(order_id=str(USERREF), symbol="BTC/USD", order_qty=Decimal("0.02"))),
)


@pytest.mark.parametrize("attempt", [pytest.param(attempt, id=name) for name, attempt in REFUSED])
def test_an_order_of_another_account_is_an_unknown_one(scene: Scene, attempt: Attempt) -> None:
    bob = scene.state("bob")
    assert scene.bob.refused(attempt(scene)) == UNKNOWN
    assert scene.state("ann") == scene.before
    assert scene.state("bob") == bob


def test_what_concerns_all_orders_concerns_ones_own(scene: Scene) -> None:
    scene.bob.ask(CancelAllAfter(timeout_s=1))
    scene.bob.ask(CancelAll())
    assert scene.house.account("bob").open_orders == {}
    scene.bob.place()
    scene.house.now_ns += 5_000_000_000
    scene.house.venue.exchange.poll(scene.house.now_ns)
    assert scene.house.account("bob").open_orders == {}
    assert scene.state("ann") == scene.before


@pytest.mark.parametrize("version", ["v2", "rest"])
def test_a_batch_ends_ones_own_orders_among_others(version: Version) -> None:
    scene = Scene(version)
    mixed = BatchCancel(order_ids=(scene.open_id, scene.bobs_id, str(USERREF)), cl_ord_ids=("anns own",))
    (answer,) = scene.bob.ask(mixed)
    assert answer["result"]["count"] == 1
    assert scene.house.account("bob").open_orders == {}
    assert scene.state("ann") == scene.before


def test_a_cl_ord_id_and_a_userref_of_another_account_are_free_to_use(scene: Scene) -> None:
    scene.bob.place(cl_ord_id="anns own")
    scene.bob.place(order_userref=USERREF)
    scene.bob.ask(CancelOrders(cl_ord_ids=("anns own",)))
    scene.bob.ask(CancelOrders(order_userrefs=(USERREF,)))
    assert list(scene.house.account("bob").open_orders) == [scene.bobs_id]
    assert scene.state("ann") == scene.before


# -- reading ----------------------------------------------------------------------

QUERIES: tuple[tuple[str, Callable[[Scene], dict[str, str]], str | None], ...] = (
    ("QueryOrders", lambda scene: {"txid": scene.open_id}, UNKNOWN),
    ("QueryOrders", lambda scene: {"txid": f"{scene.bobs_id},{scene.traded_id}", "trades": "true"}, UNKNOWN),
    ("OrderAmends", lambda scene: {"order_id": scene.open_id}, UNKNOWN),
    ("QueryTrades", lambda scene: {"txid": exec_id(scene)}, UNSEEN),
    ("QueryLedgers", lambda scene: {"id": ledger_id(scene)}, None),
    ("OpenOrders", lambda _: {"userref": str(USERREF)}, None),
    ("OpenOrders", lambda _: {"cl_ord_id": "anns own", "trades": "true"}, None),
    ("ClosedOrders", lambda scene: {"start": scene.open_id, "trades": "true"}, "EGeneral:Invalid arguments:start"),
    ("ClosedOrders", lambda _: {"ofs": "0"}, None),
    ("TradesHistory", lambda _: {"ledgers": "true"}, None),
    ("Ledgers", lambda _: {"asset": "all"}, None),
    ("OpenPositions", lambda _: {"docalcs": "true"}, None),
)


def exec_id(scene: Scene) -> str:
    return scene.house.records.exec_id(scene.house.account("ann").fills[0])


def ledger_id(scene: Scene) -> str:
    return scene.house.records.entry(scene.house.account("ann").entries[-1]).ledger_id


@pytest.mark.parametrize(("method", "params", "text"), QUERIES)
def test_no_call_shows_what_another_account_has(
    method: str, params: Callable[[Scene], dict[str, str]], text: str | None
) -> None:
    scene = Scene("rest")
    answer = scene.house.rest("bob", method, **params(scene))
    assert answer["error"] == ([] if text is None else [text])
    assert scene.shows_nothing_of_ann(answer)
    assert scene.state("ann") == scene.before


def test_balances_and_positions_are_ones_own() -> None:
    scene = Scene("rest")
    tycoon = Door(scene.house, "rest", "tycoon")
    tycoon.place(order_type="market", limit_price=None, margin=True)
    assert len(scene.house.rest("tycoon", "OpenPositions")["result"]) == 1
    assert scene.house.rest("bob", "OpenPositions")["result"] == {}
    assert scene.house.rest("bob", "Balance")["result"]["ZUSD"] == "10000000.0000"
    assert scene.house.rest("bob", "TradeBalance")["result"]["m"] == "0.0000"


CHANNELS: dict[Version, tuple[str, ...]] = {"v1": ("openOrders", "ownTrades"), "v2": ("executions", "balances")}


def follow(door: Door, channel: str, token: str, method: str = "subscribe", **options: Any) -> list[Any]:
    assert door.gateway is not None
    if door.version == "v1":
        asked = {"event": method, "reqid": REQ_ID, "subscription": {"name": channel, "token": token, **options}}
    else:
        asked = {"method": method, "params": {"channel": channel, "token": token, **options}, "req_id": REQ_ID}
    return door.house.send(door.gateway, asked)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_channels_tell_of_ones_own_account_in_a_sequence_of_its_own(version: Version) -> None:
    scene = Scene(version)
    ann = Door(scene.house, version, "ann")
    snapshots = [follow(scene.bob, channel, scene.bob.token) for channel in CHANNELS[version]]
    for channel in CHANNELS[version]:
        follow(ann, channel, ann.token)
    scene.house.got.clear()
    for _ in range(3):
        ann.ask(ann.order(order_type="market", limit_price=None))
        scene.bob.ask(scene.bob.order())
    assert scene.house.got[ann.gateway], "she is told of hers"
    told = scene.house.got[scene.bob.gateway]
    assert told, "he is told of his"
    assert scene.shows_nothing_of_ann(snapshots, told)
    sequences: dict[str, list[int]] = {}
    for frame in told:
        name, number = (frame[1], frame[2]["sequence"]) if version == "v1" else (frame["channel"], frame["sequence"])
        sequences.setdefault(name, []).append(number)
    for numbers in sequences.values():
        assert numbers == list(range(2, 2 + len(numbers)))


# -- tokens and keys -----------------------------------------------------------------


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_token_that_is_nearly_right_opens_nothing(version: Version) -> None:
    scene = Scene(version)
    genuine = scene.house.token("ann")
    swapped = genuine[:-1] + ("A" if genuine[-1] != "A" else "B")
    for token in (swapped, genuine[:-1], genuine + "=", genuine.swapcase(), "ann", " "):
        scene.bob.token = token
        assert scene.bob.refused(CancelOrders(order_ids=(scene.open_id,))) == "ESession:Invalid session"
        (answer,) = follow(scene.bob, CHANNELS[version][0], token)
        assert answer.get("error", answer.get("errorMessage")) == "ESession:Invalid session"
    assert scene.state("ann") == scene.before


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_token_speaks_for_its_account_whoever_else_the_connection_follows(version: Version) -> None:
    scene = Scene(version)
    channel = CHANNELS[version][0]
    assert follow(scene.bob, channel, scene.house.token("ann"))
    assert scene.bob.refused(CancelOrders(order_ids=(scene.open_id,))) == UNKNOWN
    scene.bob.place()
    assert len(scene.house.account("bob").open_orders) == 2
    assert scene.state("ann") == scene.before


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_nobody_ends_a_subscription_of_another_connection(version: Version) -> None:
    scene = Scene(version)
    ann, channel = Door(scene.house, version, "ann"), CHANNELS[version][0]
    follow(ann, channel, ann.token)
    (answer,) = follow(scene.bob, channel, scene.bob.token, "unsubscribe")
    assert answer.get("error", answer.get("errorMessage")) == "Subscription Not Found"
    scene.house.got.clear()
    ann.ask(ann.order())
    assert scene.house.got[ann.gateway]


def test_a_call_cannot_be_replayed_redirected_or_signed_by_another() -> None:
    house = House()
    nonce = house.nonce()
    body = form_body({"nonce": nonce, "txid": "x"})
    path = "/0/private/Balance"
    signature = sign(path, nonce, body, secret("ann"))
    genuine = SignedCall(path, "ann", signature, body, "", "127.0.0.1")

    def refusal(**changes: Any) -> Any:
        return house.signed(genuine._replace(**changes)).get("error")

    assert refusal(path="/0/private/CancelAll") == ["EAPI:Invalid signature"]
    assert refusal(body=body + b"&x=1") == ["EAPI:Invalid signature"]
    assert refusal(api_key="bob") == ["EAPI:Invalid signature"]
    assert refusal(api_sign=signature.lower()) == ["EAPI:Invalid signature"]
    assert refusal() == []
    assert refusal() == ["EAPI:Invalid nonce"]
    assert refusal(peer="10.0.0.1") == ["EAPI:Invalid nonce"]


def test_a_key_without_the_permission_gets_a_token_that_may_no_more() -> None:
    house = House()
    for version in ("v1", "v2"):
        reader = Door(house, version, "reader")
        before = holdings(house.account("reader"))
        assert reader.refused(reader.order()) == "EGeneral:Permission denied"
        assert reader.refused(CancelAll()) == "EGeneral:Permission denied"
        assert holdings(house.account("reader")) == before


def holdings(account: Account) -> tuple[object, ...]:
    return dict(account.balances), dict(account.holds), list(account.open_orders)
