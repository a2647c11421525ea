"""The half of a live bot that speaks with the venue: a loop in a thread of its own, with client, broker and journal.

Fills are written down here at once, whatever the strategy is doing; the
strategy hears of everything through its inbox. Also here: requests of other
terminals, stops, the audit, and the dead man's switch, which is renewed only
while the strategy's thread has made steps.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Collection, Coroutine, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from krakenwire.apps.bot_start import Phase, audit_now, carry_out, start
from krakenwire.apps.live_broker import LiveBroker, LivePermit, LiveSettings
from krakenwire.apps.live_evidence import foreign_intents
from krakenwire.apps.live_gate import OrderGate, PostedDesk
from krakenwire.apps.live_handover import Handover, order_of, own_balances
from krakenwire.client import aio
from krakenwire.client.credentials import Credentials
from krakenwire.errors import JournalError, KrakenwireError
from krakenwire.limits import BOT_AUDIT_S, BOT_OBEY_S
from krakenwire.trading import records
from krakenwire.trading.recovery import BotOrder, restore_risk
from krakenwire.trading.stops import Stop, StopLevel

if TYPE_CHECKING:
    from krakenwire.storage.bot_folder import BotFolder
    from krakenwire.trading.engine import Engine
    from krakenwire.trading.orders import Order
    from krakenwire.trading.risk import Risk

__all__ = ["LiveSession"]

_T = TypeVar("_T")
_DAY: Final = 86_400 * 1_000_000_000


class LiveSession:
    """One life of a live bot at its venue. Methods are for the strategy's thread unless they say otherwise.

    Args:
        folder: claimed.
        permit: see `LivePermit`.
        keys: of the account.
        post: leaves a call for the strategy's thread, in order, before the market.
        settings: how long to wait.

    Attributes:
        gate: the desk's broker; there after `begin`.
        on_failure: called once, in the loop's thread, with what the bot cannot go on after.
    """

    gate: OrderGate

    def __init__(
        self,
        folder: BotFolder,
        permit: LivePermit,
        keys: Credentials,
        post: Callable[[Callable[[], None]], None],
        settings: LiveSettings = LiveSettings(),  # noqa: B008 - frozen
    ) -> None:
        self._folder, self._post, self._settings, self._permit = folder, post, settings, permit
        self._client = aio.Kraken(permit.on, credentials=keys, trading=permit.on)
        self._told = PostedDesk(post)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="krakenwire-orders", daemon=True)
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = contextlib.AsyncExitStack()
        self._foreign: tuple[tuple[str, Decimal | None], ...] = ()
        self._stop_told: Stop | None = None
        self._rounded: Callable[[str, Decimal], Decimal] | None = None
        self._engine: Engine | None = None
        self._risk: Risk | None = None
        self._saved_day: tuple[int, Decimal, Decimal] | None = None
        self._steps = self._steps_seen = 0
        self._failed = False
        self.on_failure: Callable[[KrakenwireError], object] = _nobody
        self._thread.start()

    # -- a life --------------------------------------------------------------------------

    def connect(self) -> Callable[[], dict[str, Decimal]]:
        """Begin to connect; return what waits for it, and returns the account's balances. Nothing is changed by it."""
        return asyncio.run_coroutine_threadsafe(self._connect(), self._loop).result

    def step(self) -> None:
        """The strategy's thread has made a step: that earns the renewal of the dead man's switch."""
        self._steps += 1

    def begin(
        self,
        risk: Risk,
        symbols: Collection[str],
        allowed: Mapping[str, Decimal] | None,
        told: Callable[[Phase, str], object],
        rounded: Callable[[str, Decimal], Decimal],
    ) -> Handover:
        """Go from recovery to where orders pass, or to the stop that stands.

        Args:
            risk: fresh; it is told what an earlier life has left behind.
            symbols: of the strategy.
            allowed: see `own_balances`.
            told: called with each phase, in the loop's thread.
            rounded: cuts a quantity to what may be ordered of a symbol.

        Raises:
            KrakenwireError: it cannot be done.
        """
        self._risk, self._rounded = risk, rounded
        return self._run(self._start(risk, symbols, allowed, told))

    def attach(self, engine: Engine, handover: Handover) -> None:
        """Have an engine's desk told from now on; the orders handed over are adopted, before it starts."""
        self._engine = engine
        for order in handover.orders:
            engine.desk.adopt(order)
        engine.use_broker(self.gate)
        if handover.paused:
            engine.pause()

    def end_orders(self) -> Callable[[], bool]:
        """Begin to end all own orders; return what tells whether that is over."""
        return asyncio.run_coroutine_threadsafe(self._end_orders(), self._loop).done

    def stop_for(self, level: StopLevel, reason: str) -> None:
        """Stop the bot for good, until a person lifts it, by its own doing."""
        self._run(self._broker.stop(level, reason))

    def close(self, *, disarm: bool) -> None:
        """End it. With `disarm` false the dead man's switch is left to run out."""
        try:
            self._run(self._close(disarm))
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    @property
    def stop(self) -> str:
        """What stop stands, in words; empty while none does. Any thread may ask."""
        stop = self._folder.journal.known.stops.stop
        return "" if stop is None else f"{StopLevel(stop.level).name} by {stop.who}: {stop.reason}"

    @property
    def alarm(self) -> str:
        """What a person has to look at; empty while nothing is. Any thread may ask."""
        return self._broker.alarm or self._broker.book.surprise

    # -- what the strategy's side keeps here -----------------------------------------------

    def load(self) -> bytes:
        """Return the strategy's state as it was saved last. For the engine."""
        state = self._folder.journal.known.state
        return msgspec.json.encode(state) if state else b""

    def save(self, state: bytes) -> None:
        """Save the strategy's state. For the engine."""
        values = msgspec.json.decode(state, type=dict[str, object])
        self._write(lambda now_ns: records.StateSaved(time_ns=now_ns, state=values))

    def save_day(self, now_ns: int) -> None:
        """Save what a day's loss counts from and the highest equity, where they have changed."""
        risk = self._risk
        if risk is None or not risk.peak_equity:
            return
        day = (now_ns // _DAY, risk.day_equity, risk.peak_equity)
        saved = self._saved_day
        if day != saved:
            self._saved_day = day
            self._write(lambda _: records.DayBegan(time_ns=now_ns, equity=day[1], peak=day[2]))

    def write_status(self, status: Mapping[str, object]) -> None:
        """Say how the bot stands, to other terminals."""
        self._loop.call_soon_threadsafe(self._write_status, status)

    def _write(self, record: Callable[[int], records.Record]) -> None:
        self._loop.call_soon_threadsafe(self._append, record)

    def _append(self, record: Callable[[int], records.Record]) -> None:
        journal = self._folder.journal
        with contextlib.suppress(JournalError):  # `journal.failure` stops the bot
            journal.append(record(journal.now_ns()), sync=False)

    def _write_status(self, status: Mapping[str, object]) -> None:
        try:
            self._folder.write_status(status)
        except JournalError as error:
            self._broker.alarm = str(error)

    # -- in the loop -------------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def _connect(self) -> dict[str, Decimal]:
        await self._stack.enter_async_context(self._client)
        self._broker: LiveBroker[Order] = LiveBroker(
            self._client, self._folder.journal, self._told, self._adopt, self._permit, self._settings
        )
        return await self._client.ask_rest(lambda rest: dict(rest.balances()))

    async def _start(
        self,
        risk: Risk,
        symbols: Collection[str],
        allowed: Mapping[str, Decimal] | None,
        told: Callable[[Phase, str], object],
    ) -> Handover:
        await start(self._folder, self._broker, told=told, rounded=self._rounded)
        self.gate = OrderGate(self._broker, self._folder.journal, self._told, self._loop)
        handover = self._hand_over(risk, symbols, allowed)
        self._tasks = [self._loop.create_task(work) for work in (self._watch(), self._obey(), self._audit())]
        return handover

    def _hand_over(self, risk: Risk, symbols: Collection[str], allowed: Mapping[str, Decimal] | None) -> Handover:
        """What is known here is handed over, what comes later is told: there is no moment between."""
        known, book = self._folder.journal.known, self._broker.book
        restore_risk(risk, known)
        orders = tuple(order_of(order) for order in known.live if order.intent.symbol in symbols)
        for order in orders:
            book.hold(order)
        self._told.desk = self._desk
        self._foreign = self._foreign_now()
        risk.observe_foreign(foreign_intents(tuple(book.foreign.values())))
        self._stop_told = known.stops.stop
        return Handover(own_balances(known, symbols, allowed), orders, self.stop)

    def _desk(self) -> Any:
        assert self._engine is not None
        return self._engine.desk

    def _adopt(self, known: BotOrder) -> Order:
        """An order that the desk does not have: until the handover nobody hears of it, later a flatten's."""
        order, risk = order_of(known), self._risk
        if known.is_live and risk is not None:
            intent, filled, unknown = known.intent, known.filled, known.step == "unknown"
            self._told.adopted(order, lambda: risk.restore_live(intent, filled, unknown=unknown))
        return order

    async def _watch(self) -> None:
        """Renew the switch as far as it is earned, and tell the strategy's side what stands."""
        while True:
            await asyncio.sleep(BOT_OBEY_S)
            if self._steps != self._steps_seen:
                self._steps_seen = self._steps
                self._broker.stepped()
            self._tell_stop()
            self._tell_foreign()
            self._tell_failure()

    async def _obey(self) -> None:
        """Do what other terminals ask."""
        while True:
            await asyncio.sleep(BOT_OBEY_S)
            for request in self._folder.requests():
                try:
                    await carry_out(self._folder, self._broker, request, self._rounded)
                except KrakenwireError as error:
                    self._broker.alarm = str(error)

    async def _audit(self) -> None:
        """Compare balances now and then while all is well."""
        while True:
            await asyncio.sleep(BOT_AUDIT_S)
            await self._audit_once()

    async def _audit_once(self) -> None:
        try:
            await audit_now(self._broker)
        except KrakenwireError as error:
            self._broker.alarm = str(error)

    def _tell_stop(self) -> None:
        stop = self._folder.journal.known.stops.stop
        if stop == self._stop_told:
            return
        self._stop_told = stop
        self._post(self._resumed if stop is None else self._stopped)

    def _tell_foreign(self) -> None:
        foreign = self._foreign_now()
        if foreign == self._foreign or self._risk is None:
            return
        self._foreign = foreign
        observe, intents = self._risk.observe_foreign, foreign_intents(tuple(self._broker.book.foreign.values()))
        self._post(lambda: observe(intents))

    def _foreign_now(self) -> tuple[tuple[str, Decimal | None], ...]:
        return tuple((name, order.remaining_qty) for name, order in self._broker.book.foreign.items())

    def _tell_failure(self) -> None:
        """What the bot cannot go on after: a journal that takes nothing, an account that is not followed any more."""
        failure = self._folder.journal.failure or self._broker.failure
        if failure is not None and not self._failed:
            self._failed = True
            self.on_failure(failure)

    async def _end_orders(self) -> None:
        self._drop_tasks(keep=1)
        self.gate.pass_on()
        await self._broker.end_own()
        if self._folder.journal.failure is None:
            await self._audit_once()

    async def _close(self, disarm: bool) -> None:
        self._drop_tasks()
        if hasattr(self, "_broker"):
            journal = self._folder.journal
            left = journal.failure is not None or journal.known.stops.cancels_all
            await self._broker.close(disarm=disarm and not left)
        await self._stack.aclose()

    def _drop_tasks(self, keep: int = 0) -> None:
        for task in self._tasks[keep:]:
            task.cancel()
        del self._tasks[keep:]

    # -- posted to the strategy's thread -------------------------------------------------------

    def _stopped(self) -> None:
        if self._engine is not None:
            self._engine.log.note(self._engine.clock.now_ns, "stop", self.stop)
            self._engine.pause()

    def _resumed(self) -> None:
        if self._engine is not None and self._risk is not None:
            self._engine.log.note(self._engine.clock.now_ns, "stop", "lifted")
            self._risk.lift(self._engine.portfolio.equity)
            self._engine.go_on()


def _nobody(_error: KrakenwireError) -> None:
    """Nobody listens."""
