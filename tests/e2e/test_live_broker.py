"""A live bot's orders over real sockets where things go wrong: lost answers, cuts, ended lives, other people."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from tests.cards.card import SYMBOL, order
from tests.cards.play import PATIENT, QUICK
from tests.cards.stage import SECRET, Stage

import krakenwire.aio
from krakenwire.apps.bot_start import Identity, carry_out, claim, fingerprint, start
from krakenwire.apps.live_broker import LiveBroker, LivePermit, LiveSettings
from krakenwire.apps.live_evidence import foreign_intents
from krakenwire.errors import ConfigError, InternalError, JournalBusy, JournalError, UsageError
from krakenwire.model import CancelOrders
from krakenwire.storage.bot_folder import BotFolder, request_flatten, request_resume, request_stop
from krakenwire.trading import records
from krakenwire.trading.intents import Intent
from krakenwire.trading.reconcile import Patience
from krakenwire.trading.recovery import BotOrder
from krakenwire.trading.stops import StopLevel

WAIT_S: Final = 30.0
ME: Final = Identity(account=fingerprint("ann"), strategy="Fade", config="1")
SOON: Final = LiveSettings(answer_s=0.5, end_s=10.0, patience=Patience(lag_s=0.0, again_s=0.05))
PATIENTLY: Final = LiveSettings(answer_s=0.5, end_s=10.0, patience=Patience(lag_s=90.0, again_s=0.05))


@dataclass(frozen=True)
class Placed:
    """An order as the test's own desk has it."""

    id: str


@dataclass
class Desk:
    """Notes what it is told."""

    told: list[tuple[Any, ...]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def _note(self, *what: Any) -> None:
        self.told.append(what)
        self.news.set()

    def accepted(self, order: Placed, venue_id: str) -> None:
        self._note("accepted", order.id, venue_id)

    def refused(self, order: Placed, reason: str) -> None:
        self._note("refused", order.id, reason)

    def unknown(self, order: Placed, reason: str) -> None:
        self._note("unknown", order.id, reason)

    def filled(
        self, order: Placed, exec_id: str, price: Decimal, qty: Decimal, fee: Decimal, maker: bool, time_ns: int
    ) -> None:
        self._note("filled", order.id, exec_id, price, qty)

    def ended(self, order: Placed, state: str, reason: str) -> None:
        self._note("ended", order.id, state)

    def amended(self, order: Placed) -> None:
        self._note("amended", order.id)

    def amend_refused(self, order: Placed, reason: str) -> None:
        self._note("amend_refused", order.id, reason)

    def cancel_refused(self, order: Placed, reason: str) -> None:
        self._note("cancel_refused", order.id, reason)

    def heard(self, *what: str) -> list[tuple[Any, ...]]:
        return [told for told in self.told if told[: len(what)] == what]


@dataclass
class Bot:
    """One life of a bot."""

    folder: BotFolder
    broker: LiveBroker[Placed]
    desk: Desk
    phases: list[str]

    def place(self, side: str = "buy", price: str | None = "40000.0", qty: str = "0.001") -> Placed:
        journal = self.folder.journal
        intent = Intent(
            id=journal.new_id(),
            symbol=SYMBOL,
            side="buy" if side == "buy" else "sell",
            order_type="market" if price is None else "limit",
            qty=Decimal(qty),
            limit=None if price is None else Decimal(price),
            created_ns=journal.now_ns(),
        )
        journal.intent(intent)
        placed = Placed(intent.id)
        self.broker.submit(placed)
        return placed

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not true():
                self.desk.news.clear()
                await self.desk.news.wait()

    async def heard(self, *what: str) -> tuple[Any, ...]:
        await self.until(lambda: self.desk.heard(*what))
        return self.desk.heard(*what)[0]


@asynccontextmanager
async def living(
    stage: Stage, path: Path, settings: LiveSettings = SOON, *, identity: Identity = ME, accept: bool = False
) -> AsyncIterator[Bot]:
    """Run one life; it ends without a word, as by a kill: the dead man's switch stays armed."""
    with BotFolder(path, deadline_s=0.7, sync=False) as folder:
        claim(folder, identity, accept_config=accept)
        settings_of_client = {**PATIENT, **QUICK}
        async with krakenwire.aio.Kraken(stage.url, credentials=("ann", SECRET), **settings_of_client) as client:
            desk, phases = Desk(), list[str]()

            def adopt(known: BotOrder) -> Placed:
                return Placed(known.id)

            permit = LivePermit(mode="live", on=stage.url)
            broker = LiveBroker(client, folder.journal, desk, adopt, permit, settings)
            await start(folder, broker, told=lambda phase, text: phases.append(phase))
            try:
                yield Bot(folder, broker, desk, phases)
            finally:
                await broker.close(disarm=False)


def adds(stage: Stage) -> int:
    return stage.wire.count("add_order")


# -- one order -----------------------------------------------------------------------


async def test_an_order_is_accepted_filled_once_and_ended_after_its_last_fill(stage: Stage, tmp_path: Path) -> None:
    async with living(stage, tmp_path / "bot") as bot:
        placed = bot.place("sell", "50000.0", "0.002")
        await bot.heard("accepted", placed.id)
        stage.tick()
        stage.act("dave", order("buy", "0.0015"))
        stage.tick()
        stage.act("dave", order("buy", "0.0005"))
        await bot.heard("ended", placed.id, "filled")
        fills = bot.desk.heard("filled", placed.id)
        assert [fill[2] for fill in fills] == stage.fill_ids()
        assert [fill[4] for fill in fills] == [Decimal("0.0015"), Decimal("0.0005")]
        assert bot.desk.told[-1] == ("ended", placed.id, "filled")
        assert bot.folder.journal.known.positions == {SYMBOL: Decimal("-0.002")}
        assert bot.phases == ["recover", "arm", "snapshot", "reconcile", "audit", "trade"]


async def test_an_amendment_and_a_cancel_are_told_when_the_venue_has_said_so(stage: Stage, tmp_path: Path) -> None:
    async with living(stage, tmp_path / "bot") as bot:
        placed = bot.place()
        await bot.heard("accepted", placed.id)
        bot.folder.journal.amend(placed, Decimal("40001.0"), Decimal("0.002"))
        bot.broker.amend(placed, Decimal("40001.0"), Decimal("0.002"))
        await bot.heard("amended", placed.id)
        intent = bot.folder.journal.known.orders[placed.id].intent
        assert (intent.limit, intent.qty) == (Decimal("40001.0"), Decimal("0.002"))
        bot.broker.cancel(placed)
        await bot.heard("ended", placed.id, "canceled")
        assert not stage.account.open_orders


async def test_what_is_not_written_down_or_was_sent_already_is_not_sent(stage: Stage, tmp_path: Path) -> None:
    async with living(stage, tmp_path / "bot") as bot:
        with pytest.raises(InternalError, match="not written down"):
            bot.broker.submit(Placed("nobody-1"))
        placed = bot.place()
        with pytest.raises(InternalError, match="sent already"):
            bot.broker.submit(placed)
        await bot.heard("accepted", placed.id)
        assert adds(stage) == 1


async def test_a_refusal_of_the_venue_or_of_our_own_checks_ends_the_order(stage: Stage, tmp_path: Path) -> None:
    async with living(stage, tmp_path / "bot") as bot:
        dear, crooked = bot.place(qty="5"), bot.place(price="40000.01")
        assert "Insufficient funds" in (await bot.heard("refused", dear.id))[2]
        await bot.heard("refused", crooked.id)
        assert bot.folder.journal.known.open == {}


# -- unknown -------------------------------------------------------------------------


async def test_a_lost_answer_is_unknown_then_resolved_by_evidence_and_nothing_is_sent_twice(
    stage: Stage, tmp_path: Path
) -> None:
    async with living(stage, tmp_path / "bot", PATIENTLY) as bot:
        stage.wire.lose, stage.wire.losing = 1, "add_order"
        stage.wire.on_lost = stage.server.operations.cut
        placed = bot.place()
        await bot.heard("unknown", placed.id)
        await bot.heard("accepted", placed.id)
        assert adds(stage) == len(stage.account.open_orders) == 1


async def test_a_request_that_never_arrived_counts_as_such_only_after_two_absences(
    stage: Stage, tmp_path: Path
) -> None:
    async with living(stage, tmp_path / "bot") as bot:
        stage.do(lambda: stage.server.operations.spoil_requests("lose_request", 1, "add_order"))
        placed = bot.place()
        await bot.heard("unknown", placed.id)
        assert "absent" in (await bot.heard("refused", placed.id))[2]
        order_ = bot.folder.journal.known.orders[placed.id]
        assert order_.step == "never"
        assert len(order_.absences) == 1
        assert order_.absences[0] >= order_.deadline_ns
        assert not stage.account.open_orders


@pytest.mark.parametrize("error", ["EService:Timeout", "EGeneral:Internal error"])
async def test_a_refusal_that_says_nothing_is_unknown(stage: Stage, tmp_path: Path, error: str) -> None:
    async with living(stage, tmp_path / "bot") as bot:
        stage.do(lambda: stage.server.operations.spoil_requests("fail", 1, "add_order", error=error))
        placed = bot.place()
        await bot.heard("unknown", placed.id)
        await bot.heard("refused", placed.id)
        assert bot.folder.journal.known.orders[placed.id].step == "never"


# -- lives after one another ------------------------------------------------------------


async def test_an_intent_that_was_written_down_and_never_sent_is_not_sent_by_the_next_life(
    stage: Stage, tmp_path: Path
) -> None:
    async with living(stage, tmp_path / "bot") as bot:
        journal = bot.folder.journal
        lost = Intent(
            id=journal.new_id(),
            symbol=SYMBOL,
            side="buy",
            order_type="limit",
            qty=Decimal("0.001"),
            limit=Decimal("40000.0"),
            created_ns=journal.now_ns(),
        )
        journal.intent(lost)
    async with living(stage, tmp_path / "bot") as bot:
        with pytest.raises(InternalError, match="sent already"):
            bot.broker.submit(Placed(lost.id))
        await bot.heard("refused", lost.id)
        assert adds(stage) == 0
        assert bot.place().id != lost.id


def test_what_an_earlier_life_has_written_down_is_never_sent_even_if_nobody_claimed_the_folder(tmp_path: Path) -> None:
    lost = Intent(id="b1", symbol=SYMBOL, side="buy", order_type="market", qty=Decimal(1), created_ns=1)
    with BotFolder(tmp_path / "bot", sync=False) as folder:
        folder.journal.intent(lost)
    with BotFolder(tmp_path / "bot", sync=False) as folder:
        client = krakenwire.aio.Kraken("ws://127.0.0.1:1")
        permit = LivePermit(mode="live", on="ws://127.0.0.1:1")
        broker = LiveBroker(client, folder.journal, Desk(), lambda known: Placed(known.id), permit)
        with pytest.raises(InternalError, match="sent already"):
            broker.submit(Placed("b1"))


async def test_an_order_whose_answer_nobody_saw_is_found_by_the_next_life(stage: Stage, tmp_path: Path) -> None:
    async with living(stage, tmp_path / "bot", PATIENTLY) as bot:
        stage.wire.lose, stage.wire.losing = 1, "add_order"
        placed = bot.place()
        await asyncio.to_thread(stage.wire.wait, 1, "add_order")
        bot.broker.trading = False
        await bot.broker.close(disarm=False)
    async with living(stage, tmp_path / "bot", PATIENTLY) as bot:
        assert bot.folder.journal.known.orders[placed.id].step == "open"
        assert adds(stage) == len(stage.account.open_orders) == 1


async def test_fills_and_ends_while_away_are_applied_once_and_the_balances_agree(stage: Stage, tmp_path: Path) -> None:
    async with living(stage, tmp_path / "bot") as bot:
        gone, part, ended = (bot.place("sell", price, "0.002") for price in ("50000.0", "50001.0", "50002.0"))
        for placed in (gone, part, ended):
            await bot.heard("accepted", placed.id)
        venue_id = bot.folder.journal.known.orders[ended.id].order_id
    stage.tick()
    stage.act("dave", order("buy", "0.003"))
    stage.act("ann", CancelOrders(order_ids=(venue_id,)))
    for _ in range(2):
        async with living(stage, tmp_path / "bot") as bot:
            known = bot.folder.journal.known
            assert [known.orders[placed.id].step for placed in (gone, part, ended)] == ["filled", "open", "canceled"]
            assert known.exec_ids == set(stage.fill_ids())
            assert known.positions == {SYMBOL: Decimal("-0.003")}
            assert bot.phases[-1] == "trade"
            assert known.stops.stop is None


# -- other people's ---------------------------------------------------------------------


async def test_orders_of_others_are_listed_and_never_touched(stage: Stage, tmp_path: Path) -> None:
    stage.act("ann", order("buy", "0.001", "30000.0"))
    async with living(stage, tmp_path / "bot") as bot:
        (foreign,) = foreign_intents(tuple(bot.broker.book.foreign.values()))
        assert (foreign.symbol, foreign.qty, foreign.limit) == (SYMBOL, Decimal("0.001"), Decimal("30000.0"))
        placed = bot.place()
        await bot.heard("accepted", placed.id)
        await bot.broker.stop(StopLevel.CANCEL_OWN, "a test", "ann")
        assert len(bot.desk.heard("ended", placed.id, "canceled")) == 1
        assert not bot.broker.alarm
        assert len(stage.account.open_orders) == 1


async def test_money_that_no_fill_explains_stops_the_bot_until_a_person_resumes_it(
    stage: Stage, tmp_path: Path
) -> None:
    async with living(stage, tmp_path / "bot"):
        pass
    stage.do(lambda: stage.server.operations.deposit("ann", "USD", Decimal(7)))
    async with living(stage, tmp_path / "bot") as bot:
        stop = bot.folder.journal.known.stops.stop
        assert stop is not None
        assert (stop.level, "USD 10007" in stop.reason) == (StopLevel.NO_ORDERS, True)
        request_resume(bot.folder.path, who="ann")
        for request in bot.folder.requests():
            await carry_out(bot.folder, bot.broker, request)
        assert bot.broker.allows_orders
    async with living(stage, tmp_path / "bot") as bot:
        assert bot.phases[-1] == "trade"


# -- stops -------------------------------------------------------------------------------


async def test_a_stop_asked_for_from_another_terminal_holds_in_the_next_life_too(stage: Stage, tmp_path: Path) -> None:
    async with living(stage, tmp_path / "bot") as bot:
        placed = bot.place()
        await bot.heard("accepted", placed.id)
    waiting = request_stop(tmp_path / "bot", StopLevel.CANCEL_OWN, "enough", who="ann")
    for _ in range(2):
        async with living(stage, tmp_path / "bot") as bot:
            assert bot.phases[-1] == "stopped"
            assert not waiting.exists()
            assert not stage.account.open_orders
            refused = bot.place()
            assert "stopped" in (await bot.heard("refused", refused.id))[2]
    assert adds(stage) == 1


async def test_a_stop_cancels_even_when_it_cannot_be_written_down(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    async with living(stage, tmp_path / "bot") as bot:
        placed = bot.place()
        await bot.heard("accepted", placed.id)
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            stopping = asyncio.create_task(bot.broker.stop(StopLevel.CANCEL_OWN, "the disk", "ann"))
            await asyncio.to_thread(stage.wire.wait, 1, "cancel_order")
            stopping.cancel()
            await asyncio.wait([stopping])
        assert not stage.account.open_orders
        assert not bot.broker.allows_orders
        assert "No space left" in bot.broker.alarm


async def test_the_hardest_stop_cancels_orders_of_others_too(stage: Stage, tmp_path: Path) -> None:
    stage.act("ann", order("buy", "0.001", "30000.0"))
    async with living(stage, tmp_path / "bot") as bot:
        placed = bot.place()
        await bot.heard("accepted", placed.id)
        await bot.broker.stop(StopLevel.CANCEL_ALL, "fire", "ann")
        assert not stage.account.open_orders
        assert not bot.broker.alarm


async def test_flatten_cancels_own_orders_and_closes_the_own_position(stage: Stage, tmp_path: Path) -> None:
    stage.act("bob", order("sell", "1", "50000.0"))
    stage.act("carol", order("buy", "1", "49000.0"))
    async with living(stage, tmp_path / "bot") as bot:
        resting, taking = bot.place(), bot.place(price=None, qty="0.003")
        await bot.heard("accepted", resting.id)
        await bot.heard("ended", taking.id, "filled")
        request_flatten(bot.folder.path, "home", who="ann")
        (request,) = bot.folder.requests()
        await carry_out(bot.folder, bot.broker, request)
        known = bot.folder.journal.known
        assert known.positions == {SYMBOL: Decimal(0)}
        assert known.open == {}
        assert not bot.broker.alarm
        assert not bot.broker.allows_orders
        assert bot.folder.requests() == []


async def test_the_dead_mans_switch_ends_the_orders_of_a_bot_that_is_gone(stage: Stage, tmp_path: Path) -> None:
    async with living(stage, tmp_path / "bot") as bot:
        placed = bot.place()
        await bot.heard("accepted", placed.id)
    await asyncio.to_thread(stage.passes, SOON.switch_s + 1)
    assert not stage.account.open_orders
    async with living(stage, tmp_path / "bot") as bot:
        assert bot.folder.journal.known.orders[placed.id].step == "canceled"


# -- whose journal ------------------------------------------------------------------------


def test_a_journal_of_another_account_or_strategy_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with BotFolder(tmp_path / "bot", sync=False) as folder:
        claim(folder, ME)
        count = folder.journal.known.head
        for other in ({"account": fingerprint("bob")}, {"strategy": "Grid"}):
            identity = Identity(**{"account": ME.account, "strategy": ME.strategy, "config": ME.config} | other)
            with pytest.raises(JournalError, match=r"belongs to another .*folder of its own"):
                claim(folder, identity, accept_config=True)
        assert folder.journal.known.head == count


def test_a_changed_configuration_needs_a_spoken_yes(tmp_path: Path) -> None:
    changed = Identity(account=ME.account, strategy=ME.strategy, config="2")
    with BotFolder(tmp_path / "bot", sync=False) as folder:
        claim(folder, ME)
        with pytest.raises(ConfigError, match="--accept-config"):
            claim(folder, changed)
        claim(folder, changed, accept_config=True)
        claim(folder, changed)


def test_a_folder_that_another_bot_has_open_is_busy_and_named(tmp_path: Path) -> None:
    with BotFolder(tmp_path / "bot", sync=False), pytest.raises(JournalBusy, match=r"bot: another process.*bot stop"):
        BotFolder(tmp_path / "bot")


# -- who may send ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["backtest", "replay", "paper"])
def test_a_rehearsal_gets_no_broker_whatever_the_switches_say(mode: str) -> None:
    for on in ("live", "ws://127.0.0.1:1"):
        with pytest.raises(UsageError, match="the mode live"):
            LivePermit(mode=mode, on=on, by_config=True, by_flag=True).check()


def test_a_real_venue_needs_both_switches_and_this_machine_none() -> None:
    for by_config, by_flag in ((False, False), (True, False), (False, True)):
        for on in ("live", "beta", "wss://example.com"):
            with pytest.raises(UsageError, match="two switches"):
                LivePermit(mode="live", on=on, by_config=by_config, by_flag=by_flag).check()
    LivePermit(mode="live", on="live", by_config=True, by_flag=True).check()
    LivePermit(mode="live", on="ws://127.0.0.1:1").check()


def test_only_the_live_runner_names_the_module_that_sends_orders() -> None:
    source = Path(krakenwire.aio.__file__).parent
    senders = {"live_broker", "bot_start"}
    naming = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if any(f"apps.{name} import" in path.read_text(encoding="utf-8") for name in senders)
    }
    assert naming <= {f"apps/{name}.py" for name in ("bot_start", "bot_live", "live_gate", "live_session")}


def test_all_that_a_rehearsal_can_load_loads_without_the_module_that_sends_orders() -> None:
    program = (
        "import sys, krakenwire, krakenwire.aio, krakenwire.threaded, krakenwire.cli.main\n"
        "import krakenwire.apps.watcher, krakenwire.trading.risk\n"
        "print(sorted(name for name in sys.modules if name.endswith(('live_broker', 'bot_start'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_records_of_the_journal_are_what_another_life_reads(tmp_path: Path) -> None:
    with BotFolder(tmp_path / "bot", sync=False) as folder:
        claim(folder, ME)
        folder.journal.append(records.StateSaved(time_ns=1, state={"last": "1.50"}))
        first = folder.journal.known
    with BotFolder(tmp_path / "bot", sync=False) as folder:
        assert folder.journal.known.head == first.head
        assert folder.journal.known.state == {"last": "1.50"}


async def test_after_many_lives_cut_short_orders_fills_position_and_money_are_the_venues(
    stage: Stage, tmp_path: Path
) -> None:
    chance = random.Random(5)
    stage.act("bob", order("sell", "10", "50001.0"))
    stage.act("carol", order("buy", "10", "49999.0"))
    wanted: list[str] = []
    for life in range(12):
        async with living(stage, tmp_path / "bot") as bot:
            assert bot.phases[-1] == "trade", bot.folder.journal.known.stops.stop
            for _ in range(3):
                stage.tick()
                stage.wire.lose, stage.wire.losing = chance.randrange(2), "add_order"
                stage.wire.on_lost = chance.choice([stage.server.operations.cut, int])
                price = chance.choice([None, "49998.0", "50002.0"])
                placed = bot.place("sell" if price == "50002.0" else chance.choice(["buy", "sell"]), price)
                wanted.append(placed.id)
                if chance.random() < 0.6:
                    await bot.until(lambda name=placed.id: not bot.folder.journal.known.orders[name].unresolved)
                if chance.random() < 0.3:
                    stage.do(stage.server.operations.cut)
        stage.wire.lose = 0
        if life % 3 == 2:
            stage.act("dave", order("buy", "0.0005", "50002.0"))
    async with living(stage, tmp_path / "bot") as bot:
        known = bot.folder.journal.known
        await bot.until(lambda: not known.unresolved)
        assert bot.phases[-1] == "trade"
        assert sorted(known.orders) == sorted(wanted)
        assert known.exec_ids == set(stage.fill_ids())
        assert set(known.by_order_id) == set(stage.account.orders_seen)
        assert stage.wire.count("add_order") == len(known.by_order_id)
        assert {found.order_id for found in known.live} == set(stage.account.open_orders)
        assert {found.step for found in known.orders.values() if not found.order_id} <= {"never", "refused"}
        balances = await bot.broker.client.balances()
        assert known.baseline is not None
        assert {asset: known.baseline[asset] + known.changes.get(asset, Decimal(0)) for asset in balances} == balances
