"""The trading half of the clients over real sockets where things go wrong: tokens, cuts, lost answers, pace."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

import pytest
from tests.cards.card import SYMBOL, order
from tests.cards.play import QUICK, STYLES, Player, waiting
from tests.cards.stage import SECRET, Loop, Stage, ann, running
from tests.conformance.styles import Aio, take_until

import krakenwire
import krakenwire.aio
import krakenwire.threaded
from krakenwire.apps.local_venue import LocalVenue
from krakenwire.errors import (
    ConfigError,
    ConnectError,
    KrakenwireError,
    OutcomeUnknown,
    PermissionMissing,
    UsageError,
    VenueRefusal,
)
from krakenwire.model import Added, AddOrder, AmendOrder, CancelAll, CancelAllAfter, CancelOrders, Outcome, SwitchFired
from krakenwire.model.secrets import Secret
from krakenwire.testing.proxy import FaultProxy
from krakenwire.venue.access.keys import ApiKey
from krakenwire.venue.access.pace import AccountLimits
from krakenwire.venue.access.permissions import ALL_PERMISSIONS, Permission

ADD: Final = ("add_order", "addOrder")
SWITCH: Final = ("cancel_all_orders_after", "cancelAllOrdersAfter")
PATIENCE_S: Final = 30.0

Make = Callable[..., Player]


@pytest.fixture
def make(stage: Stage, style: str, version: int) -> Iterator[Make]:
    """Make clients of the style and version at hand; they are closed at the end."""
    made: list[Player] = []

    def make(url: str = "", **settings: Any) -> Player:
        made.append(Player(style, version, url or stage.url, **QUICK, **settings))
        return made[-1]

    yield make
    for player in made:
        player.close()


def add(player: Player, price: str = "40000.0", **more: Any) -> Outcome:
    return player.send(order("buy", "0.001", price, **more))


def id_of(outcome: Outcome) -> str:
    assert isinstance(outcome.answer, Added), outcome
    return outcome.answer.order_id


# -- tokens ------------------------------------------------------------------------


def test_a_request_refused_for_its_token_is_sent_again_once_with_another(stage: Stage, make: Make) -> None:
    player = make()
    assert add(player).accepted
    stage.do(stage.served.tokens.expire_all)
    assert add(player).accepted
    assert stage.wire.count(*ADD) == 3
    assert len(stage.account.open_orders) == len(player.call("open_orders")) == 2


def test_a_token_that_is_never_taken_ends_in_the_venues_refusal(stage: Stage, make: Make) -> None:
    player = make()
    stage.do(lambda: setattr(stage.served.tokens, "key", lambda token, now_ns: None))
    outcome = add(player)
    assert (outcome.state, outcome.error) == ("refused", "ESession:Invalid session")
    assert stage.wire.count(*ADD) == 2


# -- cuts ---------------------------------------------------------------------------


def test_a_cut_before_the_answer_leaves_it_unknown_and_the_account_tells(
    stage: Stage, make: Make, version: int
) -> None:
    player = make()
    stage.wire.lose, stage.wire.losing = 1, ADD[2 - version]
    stage.wire.on_lost = stage.server.operations.cut
    outcome = add(player, cl_ord_id="mine-1")
    assert outcome.unknown
    with pytest.raises(OutcomeUnknown, match="cl_ord_id"):
        outcome.require()
    (state,) = player.call("open_orders").values()
    assert (state.cl_ord_id, state.status) == ("mine-1", "new")
    assert stage.wire.count(*ADD) == 1
    assert len(stage.account.open_orders) == 1


def test_an_answer_that_never_comes_is_unknown_and_nothing_is_sent_again(
    stage: Stage, make: Make, version: int
) -> None:
    player = make()
    stage.wire.lose, stage.wire.losing = 1, ADD[2 - version]
    outcome = player.call("send", order("buy", "0.001", "40000.0"), timeout=0.2)
    assert outcome.unknown
    assert "no reply" in outcome.error
    assert len(player.call("open_orders")) == len(stage.account.open_orders) == 1
    assert add(player).accepted
    assert stage.wire.count(*ADD) == 2


def test_an_order_that_ended_while_nobody_listened_is_settled_by_rest(stage: Stage, make: Make) -> None:
    with FaultProxy(stage.server.port) as proxy:
        player = make(proxy.url)
        gone, stays = id_of(add(player)), id_of(add(player))
        assert set(player.call("open_orders")) == {gone, stays}
        proxy.refuse()
        proxy.cut()
        stage.act("ann", CancelOrders(order_ids=(gone,)))
        proxy.refuse(False)
        player.catch_up()
        assert set(player.call("open_orders")) == {stays}
        ended = take_until(player.changes, lambda change: not change.is_open)
        assert (ended.order_id, ended.status, ended.reason) == (gone, "canceled", "User requested")


def test_no_fill_is_lost_or_told_twice_when_lines_are_cut_in_the_middle(stage: Stage, make: Make) -> None:
    player = make()
    fills = player.style.stream("fills", queue=10_000)
    order_id = id_of(player.send(order("sell", "0.1", "50000.0")))
    for _ in range(6):
        for _ in range(5):
            stage.tick()
            stage.act("dave", order("buy", "0.001"))
        stage.do(stage.server.operations.cut)
        stage.tick()
        stage.act("dave", order("buy", "0.001"))
        player.catch_up()
    known = player.call("fills")
    assert [fill.exec_id for fill in known] == stage.fill_ids()
    assert [fill.exec_id for fill in waiting(fills)] == stage.fill_ids()
    (state,) = player.call("open_orders").values()
    assert (state.order_id, state.cum_qty) == (order_id, Decimal("0.036"))
    assert sum(fill.qty for fill in known) == state.cum_qty
    assert {record.exec_id for record in player.rest(lambda rest: tuple(rest.all_trades()))} == set(stage.fill_ids())


@pytest.mark.parametrize("before", [0, 1])
def test_more_fills_than_a_snapshot_holds_are_asked_of_rest(stage: Stage, make: Make, before: int) -> None:
    with FaultProxy(stage.server.port) as proxy:
        player = make(proxy.url)
        fills = player.style.stream("fills", queue=10_000)
        id_of(player.send(order("sell", "0.1", "50000.0", fee_preference="base")))
        for _ in range(before):
            stage.act("dave", order("buy", "0.001"))
        player.catch_up()
        proxy.refuse()
        proxy.cut()
        for _ in range(60):
            stage.tick()
            stage.act("dave", order("buy", "0.001"))
        proxy.refuse(False)
        player.catch_up()
        known = player.call("fills")
        assert sorted(fill.exec_id for fill in known) == sorted(stage.fill_ids())
        assert {fill.fees[0].asset for fill in known} == {"BTC"}
        assert sorted(fills.next().exec_id for _ in known) == sorted(stage.fill_ids())
        assert not list(waiting(fills))


def test_what_was_canceled_together_is_gone_when_the_answer_is_there(make: Make, version: int) -> None:
    """The answer and the executions race each other; who asks for the open orders is shown both."""
    player = make()
    for _ in range(5):
        for price in ("40000.0", "41000.0", "42000.0"):
            add(player, price)
        assert player.call("cancel_all") == 3
        assert player.call("open_orders") == {}
        if version == 1:
            continue
        ids = [id_of(add(player, price)) for price in ("40000.0", "41000.0")]
        assert player.call("batch_cancel", *ids) == 2
        assert player.call("open_orders") == {}


# -- permissions -----------------------------------------------------------------------


def keyed(loop: Loop, permissions: frozenset[Permission]) -> Any:
    key = ApiKey(key="ann", secret=Secret(SECRET), account="ann", permissions=permissions)
    return running(loop, ann(keys=(key,)))


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (Permission.MODIFY_ORDERS, "Create & modify orders"),
        (Permission.WEBSOCKET, "WebSocket interface"),
    ],
)
def test_a_missing_permission_is_named_before_anything_is_sent(
    loop: Loop, style: str, version: int, missing: Permission, words: str
) -> None:
    with keyed(loop, ALL_PERMISSIONS - {missing}) as stage:
        player = STYLES[style](stage.url, version=version, credentials=("ann", SECRET))
        try:
            with pytest.raises(PermissionMissing, match=words):
                Player.send(_Bare(player), order("buy", "0.001", "40000.0"))
            assert stage.wire.count(*ADD) == 0
        finally:
            player.close()


class _Bare:
    """A client without streams of its account."""

    def __init__(self, style: Any) -> None:
        self.style = style

    call = Player.call


# -- the pace -------------------------------------------------------------------------


@pytest.fixture
def paced_venue() -> Iterator[LocalVenue]:
    """One whose clock runs, with Kraken's limits of the highest tier."""
    with LocalVenue(
        symbols=[SYMBOL], rate=1, accounts=[ann({"USD": "100000"}, limits=AccountLimits.of("pro"))]
    ) as venue:
        yield venue


def send_all(venue: LocalVenue, count: int, version: int, **settings: Any) -> list[Outcome]:
    """Ask for so many orders at once; return what came of them."""
    outcomes: list[Outcome] = []
    done = threading.Event()

    def on_outcome(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if len(outcomes) == count:
            done.set()

    client = krakenwire.threaded.Kraken(venue.ws_v2, version=version, credentials=("ann", SECRET), **settings)
    with client:
        for number in range(count):
            request = order("buy", "0.0001", f"{20_000 + number}.0")
            client.send_later(request, on_outcome, timeout=60)
        assert done.wait(PATIENCE_S)
    return outcomes


@pytest.mark.parametrize("version", [2, pytest.param(1, marks=pytest.mark.nightly)])
def test_two_hundred_orders_at_once_keep_within_the_venues_limit(paced_venue: LocalVenue, version: int) -> None:
    """It takes ten seconds: 162 go at once, the others as the counter falls, 3.75 a second."""
    outcomes = send_all(paced_venue, 200, version)
    assert {outcome.error or outcome.state for outcome in outcomes} == {"accepted"}
    prices = [outcome.request.limit_price for outcome in outcomes if isinstance(outcome.request, AddOrder)]
    assert prices == [20_000 + number for number in range(200)], "they went in the order in which they were asked for"


def test_without_the_pacer_the_venue_refuses_some_of_them(paced_venue: LocalVenue, version: int) -> None:
    errors = [outcome.error for outcome in send_all(paced_venue, 300, version, pace=False)]
    assert errors.count("EOrder:Rate limit exceeded") > 0
    assert set(errors) == {"", "EOrder:Rate limit exceeded"}


# -- the dead man's switch ---------------------------------------------------------------


SWITCHED: Final = """
import sys, time
import krakenwire
import krakenwire.aio
import krakenwire.threaded
with krakenwire.threaded.Kraken(sys.argv[1], version=int(sys.argv[2]), credentials=("ann", sys.argv[3])) as kraken:
    kraken.add_order("BTC/USD", "buy", "limit", "0.001", "40000.0")
    kraken.add_order("BTC/USD", "sell", "limit", "0.001", "60000.0")
    with kraken.dead_mans_switch(60, renew_s=0.05) as switch:
        print(switch.state, flush=True)
        time.sleep(600)
"""


def test_the_switch_is_renewed_while_its_owner_lives_and_fires_when_it_is_killed(stage: Stage, version: int) -> None:
    command = [sys.executable, "-c", "import krakenwire.threaded\n" + SWITCHED, stage.url, str(version), SECRET]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "armed\n"
        for _ in range(3):
            stage.passes(40)
            stage.wire.wait(stage.wire.count(*SWITCH) + 2, *SWITCH)
        assert len(stage.account.open_orders) == 2, "120 seconds have passed, never 60 without a renewal"
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait(PATIENCE_S)
        owner.stdout.close()
    finally:
        owner.kill()
    stage.passes(59)
    assert len(stage.account.open_orders) == 2
    stage.passes(3)
    assert not stage.account.open_orders
    assert {record.reason for record in stage.account.orders_seen.values()} == {"User requested"}


def test_a_switch_that_fired_is_told(stage: Stage, version: int) -> None:
    """Its renewals do not get through, the venue cancels, and afterwards its owner knows."""
    told = threading.Event()

    def on_event(event: object) -> None:
        if isinstance(event, SwitchFired):
            told.set()

    with (
        FaultProxy(stage.server.port) as proxy,
        krakenwire.threaded.Kraken(
            proxy.url, version=version, credentials=("ann", SECRET), on_event=on_event, silence_s=60.0, **QUICK
        ) as kraken,
    ):
        kraken.add_order(SYMBOL, "buy", "limit", "0.001", "40000.0")
        with kraken.dead_mans_switch(1, renew_s=0.9) as switch:
            proxy.stall()
            stage.passes(3)
            proxy.stall(False)
            assert told.wait(PATIENCE_S)
            assert switch.fires == 1
        assert kraken.open_orders() == {}


def hold_switch(player: Player, inside: Callable[[], object]) -> None:
    """Do something inside the statement of a dead man's switch."""
    if not isinstance(player.style, Aio):
        with player.style.kraken.dead_mans_switch(60):
            inside()
        return
    kraken = player.style.kraken

    async def hold() -> None:
        async with kraken.dead_mans_switch(60):
            inside()

    player.style.run(hold())


def test_leaving_the_switch_disarms_it_and_an_error_does_not(stage: Stage, make: Make) -> None:
    player, timers = make(), []
    add(player)
    hold_switch(player, lambda: timers.append(stage.account.timer_ns))
    assert timers != [None]
    assert stage.account.timer_ns is None
    with pytest.raises(ZeroDivisionError):
        hold_switch(player, lambda: 1 // 0)
    assert stage.account.timer_ns is not None
    stage.passes(61)
    assert not stage.account.open_orders
    player.catch_up()
    assert player.call("open_orders") == {}


# -- where orders may go --------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What has been looked up or connected to; nothing can be."""
    asked: list[object] = []

    def refuse(*args: object, **_: object) -> Any:
        asked.append(args)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return asked


FAR: Final = ("live", "beta", "wss://venue.example", "wss://192.0.2.1")
REQUESTS: Final = (
    order("buy", "0.001", "40000.0"),
    CancelAll(),
    AmendOrder(order_id="OAAAAA-AAAAA-AAAAAA", order_qty=Decimal(1)),
    CancelAllAfter(timeout_s=60),
)


@pytest.mark.parametrize("on", FAR)
@pytest.mark.parametrize("client", [krakenwire.Kraken, krakenwire.threaded.Kraken])
def test_no_order_leaves_this_machine_without_the_second_switch(
    no_network: list[object], client: Callable[..., Any], version: int, on: str
) -> None:
    """The threaded client is not started: it would open the public connection, which is no order."""
    kraken = client(on, version=version, credentials=("ann", SECRET))
    for request in REQUESTS:
        with pytest.raises(UsageError, match=f"trading='{on}'"):
            kraken.send(request)
    with pytest.raises(UsageError, match=f"trading='{on}'"), kraken.dead_mans_switch(60):
        pytest.fail("it must not be armed")
    assert not no_network, "not even a name was looked up"


@pytest.mark.parametrize("on", FAR)
async def test_no_order_leaves_this_machine_without_the_second_switch_in_asyncio(
    no_network: list[object], version: int, on: str
) -> None:
    async with krakenwire.aio.Kraken(on, version=version, credentials=("ann", SECRET)) as kraken:
        for request in REQUESTS:
            with pytest.raises(UsageError, match=f"trading='{on}'"):
                await kraken.send(request)
        assert not no_network, "not even a name was looked up"


def test_with_the_second_switch_an_order_goes_where_it_says(no_network: list[object], version: int) -> None:
    on = "wss://192.0.2.1"
    kraken = krakenwire.Kraken(on, version=version, credentials=("ann", SECRET), trading=on)
    with kraken, pytest.raises(ConnectError, match=r"192\.0\.2\.1"):
        kraken.send(REQUESTS[0])
    assert no_network


def test_the_second_switch_must_name_the_same_place() -> None:
    with pytest.raises(ConfigError, match="trading"):
        krakenwire.Kraken("live", trading="beta")
    with pytest.raises(ConfigError, match="trading"):
        krakenwire.Kraken("wss://venue.example", trading="live")


def test_the_local_kraken_has_an_account_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRAKEN_API_KEY", "the key of the environment")
    monkeypatch.setenv("KRAKEN_API_SECRET", "bm90IGEgc2VjcmV0")
    with krakenwire.Kraken("local") as kraken:
        assert kraken.balances()["USD"] == 100_000
        assert kraken.add_order(SYMBOL, "buy", "limit", "0.001", "20000.0").order_id
    with pytest.raises(ConfigError, match="local"), krakenwire.Kraken("local", credentials=("ann", SECRET)) as kraken:
        kraken.balances()


# -- secrets -----------------------------------------------------------------------------------


def test_no_secret_is_told_by_anything(
    stage: Stage, make: Make, version: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    player = make()
    frames, events = player.style.stream("raw", queue=10_000), player.style.stream("events", queue=10_000)
    texts: list[str] = [repr(player.style.kraken), str(player.style.kraken)]
    outcomes = [add(player), add(player, cl_ord_id="mine-1"), player.send(CancelAll())]
    stage.do(stage.served.tokens.expire_all)
    tokens = set(stage.served.tokens._grants)
    outcomes.append(add(player))
    stage.wire.lose, stage.wire.losing = 1, ADD[2 - version]
    stage.wire.on_lost = stage.server.operations.cut
    outcomes.append(add(player))
    player.catch_up()
    tokens |= set(stage.served.tokens._grants)
    texts += [repr(outcome) for outcome in outcomes]
    for request in (order("buy", "1000", "40000.0"), order("buy", "0.001", "40000.05")):
        try:
            player.send(request).require()
        except KrakenwireError as error:
            texts += [repr(error), str(error)]
    try:
        outcomes[-1].require()
    except OutcomeUnknown as error:
        texts += [repr(error), str(error)]
    texts += [repr(item) for reader in (frames, events) for item in waiting(reader)]
    texts += [repr(player.rest(lambda rest: rest)), repr(vars(player.style.kraken))]
    texts += caplog.text.splitlines()
    assert tokens
    assert len(texts) > 20
    for secret in (SECRET, *tokens):
        assert not [text for text in texts if secret in text]


def test_a_wrong_secret_is_refused_without_being_told(stage: Stage, style: str, version: int) -> None:
    wrong = "d3Jvbmcgc2VjcmV0IG9mIGEgdGVzdA=="
    player = STYLES[style](stage.url, version=version, credentials=("ann", wrong))
    try:
        with pytest.raises(VenueRefusal, match="EAPI:Invalid signature") as refusal:
            Player.send(_Bare(player), order("buy", "0.001", "40000.0"))
        error: BaseException | None = refusal.value
        while error is not None:
            assert wrong not in f"{error!r} {error}"
            error = error.__cause__ or error.__context__
    finally:
        player.close()
