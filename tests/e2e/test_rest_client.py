"""The REST client against a local Kraken over real sockets: every typed call, permissions, histories, many threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.e2e.test_trading import SECRET, key

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.client.credentials import Credentials
from krakenwire.client.environments import Addresses
from krakenwire.client.errands import ask_beside
from krakenwire.client.rest import RestClient, check_permissions
from krakenwire.errors import KrakenwireError, PermissionMissing, UsageError, VenueRefusal
from krakenwire.model import (
    Added,
    AddOrder,
    AllCanceled,
    Amended,
    AmendOrder,
    BatchAdd,
    BatchAdded,
    BatchCancel,
    BatchCanceled,
    CancelAll,
    CancelAllAfter,
    Canceled,
    CancelOrders,
    Edited,
    EditOrder,
    OrderRefused,
    Permission,
    TimerSet,
)
from krakenwire.model.rates import RateLimit
from krakenwire.testing import local_kraken
from krakenwire.venue.access.pace import AccountLimits
from krakenwire.venue.config.accounts_config import AccountConfig

ACCOUNTS = (
    AccountConfig(
        name="ann",
        balances={"USD": Decimal(1_000_000), "BTC": Decimal(20)},
        limits=AccountLimits(),
        keys=(
            key("ann", "ann"),
            key("ann-looks", "ann", permissions=frozenset({Permission.QUERY_FUNDS, Permission.WEBSOCKET})),
            key("ann-orders", "ann", permissions=frozenset({Permission.MODIFY_ORDERS})),
            key("ann-may-nothing", "ann", permissions=frozenset()),
        ),
    ),
    AccountConfig(
        name="rich", balances={"USD": Decimal(90_000)}, limits=AccountLimits(), margin=True, keys=(key("rich", "rich"),)
    ),
    AccountConfig(
        name="paced",
        balances={"USD": Decimal(90_000)},
        limits=AccountLimits(rest=RateLimit(Decimal(8), Decimal("0.001"))),
        keys=(key("paced", "paced"),),
    ),
)


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD", "ETH/USD"], rate=1, accounts=ACCOUNTS) as running:
        yield running


Clients = Callable[..., RestClient]


@pytest.fixture
def rest(venue: LocalVenue) -> Iterator[Clients]:
    made: list[RestClient] = []

    def make(name: str, secret: str = SECRET, **settings: Callable[[float], None]) -> RestClient:
        made.append(RestClient(venue.rest, Credentials(name, secret), **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def ann(rest: Clients) -> Iterator[RestClient]:
    client = rest("ann")
    yield client
    client.send_order(CancelAll())


def limit(price: int = 20_000, **more: Any) -> AddOrder:
    at = Decimal(price)
    return AddOrder(symbol="BTC/USD", side="buy", order_type="limit", limit_price=at, order_qty=Decimal("0.01"), **more)


def placed(client: RestClient, order: AddOrder) -> str:
    answer = client.send_order(order).answer
    assert isinstance(answer, Added)
    return answer.order_id


def bought(client: RestClient, qty: str = "0.0123", **more: Any) -> str:
    return placed(
        client,
        AddOrder(symbol="BTC/USD", side="buy", order_type="market", order_qty=Decimal(qty), **more),
    )


# -- orders ----------------------------------------------------------------------


def test_an_order_goes_its_way_from_placing_to_its_end(ann: RestClient) -> None:
    order_id = placed(ann, limit(cl_ord_id="mine-1", post_only=True))
    (order,) = ann.open_orders(cl_ord_id="mine-1")
    assert (order.order_id, order.status, order.limit_price, order.post_only) == (
        order_id,
        "open",
        Decimal(20_000),
        True,
    )
    assert ann.query_orders([order_id]) == (order,)
    amended = ann.send_order(AmendOrder(order_id=order_id, order_qty=Decimal("0.02"))).answer
    assert isinstance(amended, Amended)
    assert [(row.amend_type, row.order_qty) for row in ann.order_amends(order_id)] == [
        ("original", Decimal("0.01")),
        ("user", Decimal("0.02")),
    ]
    order_id = placed(ann, limit())  # one with a cl_ord_id cannot be edited
    edited = ann.send_order(
        EditOrder(order_id=order_id, symbol="BTC/USD", price=Decimal(21_000), order_qty=Decimal("0.02"))
    ).answer
    assert isinstance(edited, Edited)
    assert edited.original_order_id == order_id
    assert ann.send_order(CancelOrders(order_ids=(edited.order_id,))).answer == Canceled(count=1)
    newest = ann.closed_orders().records[0]
    assert (newest.order_id, newest.status, newest.reason) == (edited.order_id, "canceled", "User requested")


def test_batches_and_the_switch_and_cancel_all_are_answered(ann: RestClient) -> None:
    batch = ann.send_order(BatchAdd(symbol="BTC/USD", orders=(limit(20_000), limit(21_000), limit(22_000)))).answer
    assert isinstance(batch, BatchAdded)
    ids = tuple(row.order_id for row in batch.orders if isinstance(row, Added))
    assert ann.send_order(BatchCancel(order_ids=ids[:2])).answer == BatchCanceled(2)
    placed(ann, limit())
    assert isinstance(ann.send_order(CancelAllAfter(timeout_s=60)).answer, TimerSet)
    armed = ann.send_order(CancelAllAfter(timeout_s=0)).answer
    assert isinstance(armed, TimerSet)
    assert armed.trigger_ns is None
    assert isinstance(ann.send_order(CancelAll()).answer, AllCanceled)
    assert ann.open_orders() == ()


def test_a_refused_order_is_a_reply_and_what_rest_cannot_say_is_not_sent(ann: RestClient) -> None:
    order = AddOrder(
        symbol="BTC/USD", side="buy", order_type="limit", limit_price=Decimal(20_000), order_qty=Decimal(10_000)
    )
    refused = ann.send_order(order)
    assert refused.answer == OrderRefused("EOrder:Insufficient funds")
    with pytest.raises(UsageError):
        ann.send_order(CancelOrders(cl_ord_ids=("a", "b")))


def test_a_check_of_an_order_places_none(ann: RestClient) -> None:
    assert placed(ann, limit(validate=True)) == ""
    assert ann.open_orders() == ()


# -- what has been ---------------------------------------------------------------


def test_a_fill_is_told_by_its_order_its_trades_and_the_ledger(ann: RestClient) -> None:
    order_id = bought(ann)
    (order,) = ann.query_orders([order_id], trades=True)
    assert (order.status, order.cum_qty) == ("closed", Decimal("0.0123"))
    fills = [fill for fill in ann.trades_history().records if fill.exec_id in order.exec_ids]
    assert sum(fill.qty for fill in fills) == Decimal("0.0123")
    assert {(fill.order_id, fill.symbol, fill.side) for fill in fills} == {(order_id, "BTC/USD", "buy")}
    asked = ann.query_trades([fill.exec_id for fill in fills])
    assert {fill.exec_id for fill in asked} == set(order.exec_ids)
    entries = [entry for entry in ann.ledgers().records if entry.ref_id in order.exec_ids]
    assert {entry.asset for entry in entries} == {"BTC", "USD"}
    assert set(ann.query_ledgers([entry.ledger_id for entry in entries])) == set(entries)
    dollars = ann.ledgers(assets=["USD"], kind="trade").records
    assert {entry.asset for entry in dollars} == {"USD"}
    assert dollars[0].time_ns in {fill.time_ns for fill in fills}


def test_more_ids_than_one_call_takes_are_asked_for_in_several(ann: RestClient) -> None:
    ids = [placed(ann, limit()) for _ in range(60)]
    assert [order.order_id for order in ann.query_orders(ids)] == ids
    assert ann.query_orders([]) == ()


def test_histories_go_on_over_all_pages_each_entry_once(ann: RestClient) -> None:
    for _ in range(60):
        placed(ann, limit())
    ann.send_order(CancelAll())
    everything = ann.closed_orders().count
    assert everything is not None
    history = ann.all_closed_orders()
    first = next(history)
    ann.send_order(CancelOrders(order_ids=(placed(ann, limit()),)))
    ids = [first.order_id, *(order.order_id for order in history)]
    assert len(set(ids)) == len(ids) == everything
    assert [order.order_id for order in ann.all_closed_orders()][1:] == ids


def test_histories_tell_of_some_time_only(ann: RestClient) -> None:
    bought(ann)
    newest = ann.trades_history().records[0].time_ns
    assert newest in {fill.time_ns for fill in ann.all_trades(start_ns=newest, end_ns=newest)}
    assert list(ann.all_trades(start_ns=newest + 10_000_000_000)) == []
    assert list(ann.all_ledgers(assets=["BTC"], kind="deposit", end_ns=newest - 10_000_000_000_000)) == []
    (deposit,) = ann.all_ledgers(assets=["BTC"], kind="deposit")
    assert deposit.amount == Decimal(20)


def test_a_history_waits_where_it_came_too_soon(rest: Clients) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise InterruptedError

    paced = rest("paced", pause=pause)
    assert len(paced.ledgers().records) == 1
    assert len(list(paced.all_ledgers())) == 1
    with pytest.raises(VenueRefusal, match=r"EAPI:Rate limit exceeded.*4 points"):
        paced.ledgers()
    with pytest.raises(InterruptedError):
        list(paced.all_ledgers())
    assert pauses == [5.0, 5.0, 5.0]


# -- money -----------------------------------------------------------------------


def test_balances_are_told_with_and_without_what_is_held(ann: RestClient) -> None:
    placed(ann, limit())
    plain, extended = ann.balances(), {row.asset: row for row in ann.balances_ex()}
    assert plain == {asset: row.balance for asset, row in extended.items()}
    assert extended["USD"].held > 200
    assert extended["BTC"].held == 0


def test_margin_is_told_in_figures_and_positions(rest: Clients) -> None:
    rich = rest("rich")
    order_id = bought(rich, "0.5", leverage=5)
    (position,) = rich.open_positions(worth=True)
    assert (position.order_id, position.symbol, position.qty) == (order_id, "BTC/USD", Decimal("0.5"))
    assert position.value is not None
    assert rich.open_positions([position.position_id])[0].value is None
    figures = rich.trade_balance()
    assert figures.equity == figures.balance + figures.net
    assert figures.free == figures.equity - figures.used
    volume = rich.trade_volume("BTC/USD", "ETH/USD")
    assert volume.currency == "USD"
    assert set(volume.taker) == set(volume.maker) == {"BTC/USD", "ETH/USD"}
    assert volume.taker["BTC/USD"].fee > volume.maker["BTC/USD"].fee
    assert rich.trade_volume().taker == {}


# -- the key ---------------------------------------------------------------------


def test_a_token_opens_private_channels(rest: Clients) -> None:
    token = rest("ann-looks").websocket_token()
    assert (len(token.token.reveal()), token.expires_s) == (43, 900)


def test_a_key_tells_what_it_may_do(rest: Clients) -> None:
    info = rest("ann-looks").key_info()
    assert info.permissions == {Permission.QUERY_FUNDS, Permission.WEBSOCKET}
    assert info.others == frozenset()
    assert info.last_used_ns is not None


@pytest.mark.parametrize(
    ("name", "needed", "missing"),
    [
        ("ann", set(Permission), ()),
        ("ann-looks", {Permission.QUERY_FUNDS, Permission.WEBSOCKET}, ()),
        ("ann-looks", {Permission.QUERY_LEDGER}, ("Data - Query ledger entries",)),
        ("ann-orders", {Permission.CANCEL_ORDERS, Permission.MODIFY_ORDERS}, ()),
        (
            "ann-may-nothing",
            {Permission.WEBSOCKET, Permission.CANCEL_ORDERS},
            ("Orders and trades - Cancel & close orders", "WebSocket interface - On"),
        ),
    ],
)
def test_permissions_are_checked_and_the_missing_ones_named(
    rest: Clients, name: str, needed: set[Permission], missing: tuple[str, ...]
) -> None:
    client = rest(name)
    if not missing:
        check_permissions(client, needed)
        return
    with pytest.raises(PermissionMissing) as caught:
        check_permissions(client, needed)
    assert caught.value.missing == missing
    assert all(words in str(caught.value) for words in missing)


def test_a_call_without_its_permission_is_refused_with_the_one_it_needs(rest: Clients) -> None:
    with pytest.raises(VenueRefusal, match=r'EGeneral:Permission denied.*"Data - Query ledger entries"'):
        rest("ann-looks").ledgers()
    refused = rest("ann-looks").send_order(limit())
    assert refused.answer == OrderRefused("EGeneral:Permission denied")


@pytest.mark.parametrize(
    ("name", "secret", "error"),
    [("nobody", SECRET, "EAPI:Invalid key"), ("ann", "b3RoZXI=", "EAPI:Invalid signature")],
)
def test_a_wrong_key_and_a_wrong_secret_are_told_apart(rest: Clients, name: str, secret: str, error: str) -> None:
    with pytest.raises(VenueRefusal, match=error):
        rest(name, secret).balances()


# -- many at once ----------------------------------------------------------------


def test_many_threads_and_clients_share_a_key_without_a_nonce_refused(rest: Clients) -> None:
    failures: list[KrakenwireError] = []
    clients = [rest("ann") for _ in range(2)]

    def ask(client: RestClient) -> None:
        try:
            for _ in range(25):
                client.balances()
        except KrakenwireError as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)


async def test_asyncio_asks_beside_its_loop(rest: Clients) -> None:
    ann = rest("ann")
    balances, info = await asyncio.gather(ask_beside("rest", ann.balances), ask_beside("rest", ann.key_info))
    assert balances["BTC"] > 0
    assert info.name == "ann"


def test_rest_may_have_an_address_of_its_own(venue: LocalVenue) -> None:
    with RestClient(Addresses("ws://127.0.0.1:1", rest=venue.rest), Credentials("ann", SECRET)) as client:
        assert client.key_info().name == "ann"
    with pytest.raises(UsageError, match="beta"):
        RestClient("beta", Credentials("ann", SECRET))


def test_public_calls_need_no_key(venue: LocalVenue) -> None:
    with RestClient(venue.ws_v2) as client:
        assert client.url == venue.rest
        assert client.public("SystemStatus", {}, dict[str, str])["status"] == "online"
        with pytest.raises(VenueRefusal, match="EQuery:Unknown asset pair"):
            client.public("Ticker", {"pair": "NOPE"}, dict)
