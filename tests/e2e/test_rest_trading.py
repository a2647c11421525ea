"""Trading over signed REST calls: orders, what becomes of them, and the pages that tell it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.request import Request, urlopen

import pytest
from tests.e2e.test_trading import Trader, key

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.protocol.permissions import REST_NEEDS
from krakenwire.protocol.rest_sign import sign
from krakenwire.testing import local_kraken
from krakenwire.venue.access.pace import AccountLimits
from krakenwire.venue.access.permissions import Permission
from krakenwire.venue.config.accounts_config import AccountConfig

ACCOUNT = AccountConfig(
    name="ann",
    balances={"USD": Decimal(1_000_000), "BTC": Decimal(20)},
    limits=AccountLimits(),
    keys=(
        key("ann", "ann"),
        key("ann looks", "ann", permissions=frozenset({Permission.QUERY_FUNDS})),
        key("ann may nothing", "ann", permissions=frozenset()),
    ),
)
RICH = AccountConfig(
    name="rich",
    balances={"USD": Decimal(90_000)},
    margin=True,
    limits=AccountLimits(),
    keys=(key("rich", "rich"),),
)


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD", "ETH/USD"], rate=1, accounts=[ACCOUNT, RICH]) as running:
        yield running


@pytest.fixture
def ann(venue: LocalVenue) -> Iterator[Trader]:
    trader = Trader(venue, "ann")
    yield trader
    trader.result("CancelAll")
    trader.close()


def limit(ann: Trader, price: str = "20000", **more: str) -> Any:
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": price, "volume": "0.01", **more}
    return ann.result("AddOrder", **order)


def test_an_order_is_placed_shown_open_and_closed(ann: Trader) -> None:
    placed = limit(ann, userref="77", oflags="post")
    assert placed["descr"] == {"order": "buy 0.01000000 XBTUSD @ limit 20000.0"}
    (txid,) = placed["txid"]
    entry = ann.result("OpenOrders")["open"][txid]
    assert (entry["status"], entry["userref"], entry["vol"]) == ("open", 77, "0.01000000")
    assert entry["descr"]["pair"] == "XBTUSD"
    assert "post" in entry["oflags"]
    assert ann.result("QueryOrders", txid=txid)[txid] == entry
    assert ann.result("CancelOrder", txid=txid) == {"count": 1}
    assert txid not in ann.result("OpenOrders")["open"]
    closed = ann.result("ClosedOrders")["closed"][txid]
    assert (closed["status"], closed["reason"]) == ("canceled", "User requested")


def ledgers_of(trader: Trader, trades: dict[str, Any]) -> set[tuple[str, str]]:
    """The fills of some trades with the assets their entries are in; each entry names its fill."""
    found = set()
    for exec_id, trade in trades.items():
        entries = trader.result("QueryLedgers", id=",".join(trade["ledgers"]))
        assert list(entries) == trade["ledgers"]
        assert {entry["refid"] for entry in entries.values()} == {exec_id}
        found |= {(exec_id, entry["asset"]) for entry in entries.values()}
    return found


def test_trades_tell_the_ids_of_their_ledger_entries_where_that_is_asked_for(ann: Trader) -> None:
    ann.result("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.5")
    (txid,) = ann.result("AddOrder", pair="XBTUSD", type="sell", ordertype="market", volume="0.5")["txid"]
    fills = ann.result("QueryOrders", txid=txid, trades="true")[txid]["trades"]
    page = ann.result("TradesHistory", ledgers="true")["trades"]
    trades = {exec_id: page[exec_id] for exec_id in fills if exec_id in page}
    assert ledgers_of(ann, trades) == {(exec_id, asset) for exec_id in trades for asset in ("XXBT", "ZUSD")}
    assert ann.result("QueryTrades", txid=",".join(trades), ledgers="true") == trades
    assert not any("ledgers" in trade for trade in ann.result("TradesHistory")["trades"].values())


def test_a_trade_on_margin_has_one_entry_of_its_own(venue: LocalVenue) -> None:
    rich = Trader(venue, "rich")
    (txid,) = rich.result("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.1", leverage="2")["txid"]
    fills = rich.result("QueryOrders", txid=txid, trades="true")[txid]["trades"]
    trades = rich.result("QueryTrades", txid=",".join(fills), ledgers="true")
    assert ledgers_of(rich, trades) == {(exec_id, "ZUSD") for exec_id in fills}
    closing = {"pair": "XBTUSD", "type": "sell", "ordertype": "market", "volume": "0.1", "leverage": "2"}
    rich.result("AddOrder", reduce_only="true", **closing)
    rich.close()


def test_a_fill_stands_in_the_trades_the_ledger_and_its_order(ann: Trader) -> None:
    (txid,) = ann.result("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.0123")["txid"]
    order = ann.result("QueryOrders", txid=txid, trades="true")[txid]
    assert (order["status"], order["vol_exec"]) == ("closed", "0.01230000")
    trades = {name: trade for name, trade in ann.result("TradesHistory")["trades"].items() if name in order["trades"]}
    assert sum(Decimal(trade["vol"]) for trade in trades.values()) == Decimal("0.0123")
    assert {(trade["ordertxid"], trade["pair"], trade["type"]) for trade in trades.values()} == {
        (txid, "XXBTZUSD", "buy")
    }
    assert ann.result("QueryTrades", txid=",".join(trades)) == trades
    ledger = ann.result("Ledgers")["ledger"]
    legs = [entry for entry in ledger.values() if entry["refid"] in trades]
    assert {entry["asset"] for entry in legs} == {"XXBT", "ZUSD"}
    assert len(legs) == 2 * len(trades)
    first = next(iter(ledger))
    assert ann.result("QueryLedgers", id=first) == {first: ledger[first]}
    assert all(entry["asset"] == "ZUSD" for entry in ann.result("Ledgers", asset="ZUSD")["ledger"].values())


def test_pages_have_fifty_entries_newest_first_and_end(ann: Trader) -> None:
    before = ann.result("ClosedOrders")["count"]
    ids = [limit(ann)["txid"][0] for _ in range(60)]
    ann.result("CancelAll")
    pages, ofs = [], 0
    while page := ann.result("ClosedOrders", ofs=str(ofs))["closed"]:
        pages.append(list(page))
        ofs += len(page)
    assert ann.result("ClosedOrders")["count"] == before + 60 == ofs
    assert len(pages[0]) == 50
    assert [txid for page in pages for txid in page][:60] == ids[::-1]


def test_a_userref_or_a_client_id_finds_its_orders(ann: Trader) -> None:
    limit(ann, userref="5")
    own = limit(ann, cl_ord_id="mine-1")["txid"][0]
    assert [order["userref"] for order in ann.result("OpenOrders", userref="5")["open"].values()] == [5]
    assert list(ann.result("OpenOrders", cl_ord_id="mine-1")["open"]) == [own]
    assert ann.result("CancelOrder", cl_ord_id="mine-1") == {"count": 1}


def test_orders_are_amended_edited_and_remembered(ann: Trader) -> None:
    (txid,) = limit(ann)["txid"]
    assert ann.result("AmendOrder", txid=txid, order_qty="0.02")["amend_id"].startswith("T")
    amends = ann.result("OrderAmends", order_id=txid)
    assert [(row["amend_type"], row["order_qty"]) for row in amends["amends"]] == [
        ("original", "0.01000000"),
        ("user", "0.02000000"),
    ]
    edited = ann.result("EditOrder", txid=txid, pair="XBTUSD", price="21000", volume="0.02")
    assert (edited["status"], edited["originaltxid"]) == ("ok", txid)
    assert ann.result("QueryOrders", txid=edited["txid"])[edited["txid"]]["descr"]["price"] == "21000.0"


def test_batches_are_placed_and_canceled_in_one_call(ann: Trader) -> None:
    orders = {
        f"orders[{number}][{name}]": value
        for number in range(3)
        for name, value in (("ordertype", "limit"), ("type", "buy"), ("price", f"2{number}000"), ("volume", "0.01"))
    }
    rows = ann.result("AddOrderBatch", pair="XBTUSD", **orders)["orders"]
    assert len({row["txid"] for row in rows}) == 3
    asked = {f"orders[{number}]": row["txid"] for number, row in enumerate(rows)}
    assert ann.result("CancelOrderBatch", **asked) == {"count": 3}


def test_json_bodies_are_read_like_forms(ann: Trader) -> None:
    nonce = str(next(Trader.nonces))
    body = json.dumps(
        {"nonce": nonce, "pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": 20000, "volume": "0.01"}
    ).encode()
    headers = {
        "API-Key": "ann",
        "API-Sign": sign("/0/private/AddOrder", nonce, body, "c2VjcmV0IG9mIGEgdGVzdA=="),
        "Content-Type": "application/json",
    }
    with urlopen(Request(ann.venue.rest + "/0/private/AddOrder", body, headers)) as answer:
        found = json.loads(answer.read())
    assert found["error"] == []
    assert found["result"]["txid"]


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("AddOrder", {"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ("AddOrder", {"volume": "1000"}, "EOrder:Insufficient funds"),
        ("AddOrder", {"price": "20000.05"}, "EOrder:Tick size check failed"),
        ("AddOrder", {"leverage": "3"}, "EOrder:Cannot open position"),
        ("CancelOrder", {"txid": "OAAAAA-AAAAA-AAAAAA"}, "EOrder:Invalid order"),
        ("QueryOrders", {"txid": "OAAAAA-AAAAA-AAAAAA"}, "EOrder:Unknown order"),
        ("QueryOrders", {}, "EGeneral:Invalid arguments:txid"),
        ("Ledgers", {"asset": "NOPE"}, "EQuery:Unknown asset"),
        ("TradeVolume", {"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ("CancelAllOrdersAfter", {"timeout": "99999"}, "EGeneral:Invalid arguments:Invalid timeout argument"),
    ],
)
def test_what_cannot_be_is_refused_in_the_venues_words(
    ann: Trader, method: str, params: dict[str, str], error: str
) -> None:
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.01"}
    asked = {**order, **params} if method == "AddOrder" else params
    assert ann.rest(method, **asked) == {"error": [error]}


def test_the_dead_mans_switch_tells_when_it_will_fire(ann: Trader) -> None:
    timer = ann.result("CancelAllOrdersAfter", timeout="60")
    assert timer["triggerTime"] > timer["currentTime"]
    assert ann.result("CancelAllOrdersAfter", timeout="0")["triggerTime"] == "0"


def test_margin_is_told_in_figures_and_positions(venue: LocalVenue) -> None:
    rich = Trader(venue, "rich")
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.5", "leverage": "5"}
    (txid,) = rich.result("AddOrder", **order)["txid"]
    (position,) = rich.result("OpenPositions", docalcs="true").values()
    assert (position["ordertxid"], position["pair"], position["vol"]) == (txid, "XXBTZUSD", "0.50000000")
    figures = {name: Decimal(value) for name, value in rich.result("TradeBalance").items()}
    assert figures["c"] == pytest.approx(Decimal(position["cost"]))
    assert figures["m"] == pytest.approx(Decimal(position["margin"]))
    assert figures["e"] == figures["tb"] + figures["n"]
    assert figures["mf"] == figures["e"] - figures["m"]
    volume = rich.result("TradeVolume", pair="XBTUSD")
    assert Decimal(volume["volume"]) > 30_000
    assert (volume["asset_class"], volume["inputs"]["domain_spot_volume_30d"]) == ("currency", volume["volume"])
    assert volume["fees"]["XXBTZUSD"]["fee"] == "0.3500"
    assert rich.result("AddOrder", **{**order, "type": "sell", "reduce_only": "true"})["txid"]
    assert rich.result("OpenPositions") == {}


def test_a_key_is_told_what_it_may_do_whatever_it_may(venue: LocalVenue, ann: Trader) -> None:
    nonce = next(Trader.nonces)
    answer = ann.rest("GetApiKeyInfo", nonce=nonce)
    assert answer["error"] == []
    told = answer["result"]
    assert (told["apiKey"], told["apiKeyName"], told["nonce"], told["nonceWindow"]) == ("ann", "ann", str(nonce), 0)
    assert {"query-funds", "modify-trades", "close-trades", "create-ws-token"} < set(told["permissions"])
    assert int(told["createdTime"]) <= int(told["lastUsed"])
    assert (told["validUntil"], told["queryFrom"], told["queryTo"], told["ipAllowlist"]) == ("0", "0", "0", [])
    assert Trader(venue, "ann looks").result("GetApiKeyInfo")["permissions"] == ["query-funds"]


def test_a_key_without_any_permission_may_only_ask_about_itself(venue: LocalVenue) -> None:
    trader = Trader(venue, "ann may nothing")
    answers = {method: trader.rest(method)["error"] for method in REST_NEEDS}
    assert answers.pop("GetApiKeyInfo") == []
    assert set(map(tuple, answers.values())) == {("EGeneral:Permission denied",)}
