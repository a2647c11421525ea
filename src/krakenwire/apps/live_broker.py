"""The only way of a bot's orders to a venue: sent once, written down before, and followed to their end.

What was not written down is not sent. An answer that does not come is unknown,
and only evidence makes it known; see `krakenwire.trading.reconcile`. Whatever
the venue tells of an order goes into the journal and then to the desk. Worlds
that rehearse never load this module; `bot_start` is how a bot gets one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec

from krakenwire import limits
from krakenwire.apps.live_book import DeskPort, LiveBook
from krakenwire.apps.live_evidence import asked_of_rest, entry_of
from krakenwire.client import aio
from krakenwire.client.account import SwitchView
from krakenwire.client.environments import environment, is_loopback
from krakenwire.errors import InternalError, JournalError, KrakenwireError, PermissionMissing, UsageError
from krakenwire.model import AmendOrder, CancelOrders, OrderRefused, Outcome, Unanswered
from krakenwire.storage.bot_folder import Amendable, BotJournal
from krakenwire.trading import records
from krakenwire.trading.intents import Intent
from krakenwire.trading.reconcile import Evidence, Patience
from krakenwire.trading.recovery import BotOrder
from krakenwire.trading.stops import BOT, Stop, StopLevel

__all__ = ["LiveBroker", "LivePermit", "LiveSettings"]

_OrderT = TypeVar("_OrderT", bound=Amendable)
_SECOND: Final = 1_000_000_000
_DOUBTFUL: Final = ("EService:Timeout", "EService:Internal error", "EGeneral:Internal error")
"""Refusals after which an order was seen to stand nevertheless: they say nothing."""


class LivePermit(msgspec.Struct, frozen=True, kw_only=True):
    """Who has said that orders may reach a venue. Without it there is no broker.

    Args:
        mode: of the run; only ``live`` sends orders.
        on: the venue.
        by_config, by_flag: whether the configuration and the command line say so, each by itself.
    """

    mode: str
    on: str
    by_config: bool = False
    by_flag: bool = False

    def check(self) -> None:
        """Refuse what was not allowed: a venue on this machine needs the mode, any other both switches, too.

        Raises:
            UsageError: it says what is missing.
        """
        if self.mode != "live":
            raise UsageError("orders to a venue", expected="the mode live", found=self.mode)
        if self.on == "local" or is_loopback(environment(self.on).host):
            return
        missing = [
            name for name, said in (("configuration", self.by_config), ("command line", self.by_flag)) if not said
        ]
        if missing:
            hint = f"Both have to say so; missing: {' and '.join(missing)}"
            raise UsageError(f"orders at {self.on}, with real money", expected="two switches", hint=hint)


class LiveSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long a live bot waits.

    Args:
        answer_s: for the answer to a request; then it is unknown.
        switch_s: the dead man's switch fires so long after the last step of the engine that earned its renewal.
        owner_s: it is renewed only while the engine has stepped that recently.
        end_s: for own orders to be gone after a stop, before the alarm.
        patience: with what REST does not tell yet.
    """

    answer_s: float = 6.0
    switch_s: int = limits.SWITCH_TIMEOUT_S
    owner_s: float = 10.0
    end_s: float = 15.0
    patience: Patience = Patience()


class LiveBroker(Generic[_OrderT]):
    """The broker of one live bot, in one event loop. Implements the broker port of the desk.

    Args:
        client: entered, with the credentials of the account.
        journal: of the bot; its intents are written by the desk before `submit`.
        desk: told what becomes of each order.
        adopt: makes the desk's order of one that it does not have: of an earlier life, or of a flatten.
        permit: see `LivePermit`.
        settings: see `LiveSettings`.

    Attributes:
        trading: whether orders are let through; `bot_start.start` says when.
        book: what is known of the orders, ours and others.
        alarm: what a person has to look at; empty while nothing is.
        failure: why it does not follow the account any more; None while it does.

    Raises:
        UsageError: the permit does not allow it.
    """

    def __init__(
        self,
        client: aio.Kraken,
        journal: BotJournal,
        desk: DeskPort[_OrderT],
        adopt: Callable[[BotOrder], _OrderT],
        permit: LivePermit,
        settings: LiveSettings = LiveSettings(),  # noqa: B008 - frozen
    ) -> None:
        permit.check()
        self.client, self.journal, self.settings = client, journal, settings
        self._earlier = frozenset(journal.known.orders)
        self._tasks: set[asyncio.Task[None]] = set()
        self._entries: dict[str, asyncio.Task[None]] = {}
        self._stack = AsyncExitStack()
        self._switch: SwitchView | None = None
        self._fires = 0
        self._doubt = asyncio.Event()
        self._news = asyncio.Event()
        self.book: LiveBook[_OrderT] = LiveBook(
            journal, desk, adopt, settings.patience, on_news=self._news.set, on_doubt=self._doubt.set
        )
        self.trading = False
        self.alarm = ""
        self.failure: KrakenwireError | None = None

    # -- the broker port ---------------------------------------------------------------

    def submit(self, order: _OrderT) -> None:
        """Send an order whose intent stands in the journal, once.

        Raises:
            InternalError: it does not stand there, or was sent already; nothing is sent.
        """
        self._submit(order, forced=False)

    def amend(self, order: _OrderT, limit: Decimal | None, qty: Decimal | None) -> None:
        """Ask for other terms once the entry is answered; the amendment stands in the journal."""
        known = self.journal.known.orders[order.id]
        if known.amended not in known.amends:
            raise InternalError(f"an amendment of {order.id} that is not written down")
        self._begin(self._amend(known, known.amends[known.amended], limit, qty))

    def cancel(self, order: _OrderT) -> None:
        """Ask for its end once its entry is answered; that is always allowed, and harmless to repeat."""
        self._begin(self._cancel_entered(order.id))

    # -- following ----------------------------------------------------------------------

    async def arm(self) -> None:
        """Arm the dead man's switch: it is renewed only while `stepped` is called."""
        settings = self.settings
        switch = self.client.dead_mans_switch(settings.switch_s, owner_s=settings.owner_s)
        self._switch = await self._stack.enter_async_context(switch)

    async def follow(self) -> None:
        """Listen to what the venue tells of the account, from now on."""
        changes, fills = await self.client.order_changes(), await self.client.new_fills()
        self._begin(self._follow(changes, self.book.changed))
        self._begin(self._follow(fills, self.book.filled))
        self._begin(self._settle())

    async def look(self) -> Evidence:
        """Return what the venue says now: what it tells by itself, and all of REST about every order that is live."""
        asked_ns = self.journal.now_ns()
        orders = tuple((await self.client.open_orders()).values())
        fills = tuple(await self.client.fills())
        known = self.journal.known
        live = [(order.id, order.order_id) for order in known.live]
        rest = await self.client.ask_rest(lambda rest: asked_of_rest(rest, live, frozenset(known.exec_ids), asked_ns))
        told = {state.order_id: state for state in rest.orders if not state.is_open}
        told = {state.order_id: state for state in (*rest.orders, *orders)} | told  # an end is final
        return Evidence(tuple(told.values()), (*fills, *rest.fills), asked_ns, rest.thorough, rest.source)

    async def reconcile(self) -> None:
        """Ask, and write down what that makes of the orders; what stays open is asked again in time."""
        again_ns = self.book.reconciled(await self.look())
        if again_ns is not None:
            self._ask_after((again_ns - self.journal.now_ns()) / _SECOND)

    def stepped(self) -> None:
        """Say that the engine has completed a step: that earns the renewal of the dead man's switch.

        Not with a journal that cannot be written, nor after the hardest stop: then it is left to run out.
        """
        if self._switch is None or self.journal.failure is not None or self.journal.known.stops.cancels_all:
            return
        self._switch.alive()
        if self._switch.fires > self._fires:
            self._fires = self._switch.fires
            self._begin(self.stop(StopLevel.NO_ORDERS, "the dead man's switch has fired"))

    async def close(self, *, disarm: bool = True) -> None:
        """End it. With `disarm` false the dead man's switch is left to run out, which cancels everything."""
        self.trading = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        leave = None if disarm else InternalError("left armed")
        if leave is None:
            await self._stack.aclose()
            return
        try:
            await self._stack.__aexit__(InternalError, leave, None)
        except InternalError as error:
            if error is not leave:
                raise

    # -- stopping -----------------------------------------------------------------------

    @property
    def allows_orders(self) -> bool:
        """Whether a new order or an amendment goes through."""
        return self.trading and self.journal.failure is None and self.journal.known.stops.allows_orders

    async def stop(self, level: StopLevel, reason: str, who: str = BOT) -> None:
        """Stop the bot, until a person lifts it: written down first, then carried out.

        Orders that are not gone in time are an alarm.
        """
        stop = Stop(time_ns=self.journal.now_ns(), level=level, reason=reason, who=who)
        stops = self.journal.known.stops
        if stops.stop is None or stops.stop.level < level:
            try:
                self.journal.append(records.Stopped(time_ns=stop.time_ns, level=level, reason=reason, who=who))
            except JournalError as error:
                self.alarm = f"the stop holds for this process only: {error}"
                stops.raise_to(stop)
        await self.enforce()

    async def enforce(self) -> None:
        """Carry out the stop that stands, as after a start."""
        stops = self.journal.known.stops
        if stops.cancels_all:
            await self._harmless(self.client.cancel_all())
        if stops.cancels_own:
            await self._end_own(self.journal.known.live)

    def resume(self, who: str) -> None:
        """Let it run again, as a person has said."""
        self.alarm = ""
        self.journal.append(records.Resumed(time_ns=self.journal.now_ns(), who=who))

    async def flatten(self, reason: str, who: str, rounded: Callable[[str, Decimal], Decimal] | None = None) -> None:
        """Stop the bot, cancel its orders, and close the position that its own fills have made.

        Args:
            reason: for the journal.
            who: the person.
            rounded: cuts a quantity to what may be ordered of a symbol.
        """
        await self.stop(StopLevel.CANCEL_OWN, reason, who)
        known = self.journal.known
        if known.live:
            return  # the alarm is up: what is still open would change the position again
        for symbol, position in list(known.positions.items()):
            qty = abs(position) if rounded is None else rounded(symbol, abs(position))
            if qty > 0:
                intent = Intent(
                    id=self.journal.new_id(),
                    symbol=symbol,
                    side="sell" if position > 0 else "buy",
                    order_type="market",
                    qty=qty,
                    created_ns=self.journal.now_ns(),
                    tag="flatten",
                )
                self.journal.intent(intent)
                self._submit(self.book.order(intent.id), forced=True)
        await self._until_none_live("to be closed")

    # -- sending -------------------------------------------------------------------------

    def _submit(self, order: _OrderT, *, forced: bool) -> None:
        known = self.journal.known.orders.get(order.id)
        sent = order.id in self._earlier or (self.book.has(order.id) and not forced)
        if known is None or known.step != "intent" or sent:
            raise InternalError(f"order {order.id} is not written down, or was sent already")
        self.book.hold(order)
        entry = self._entries[order.id] = self._begin(self._enter(known, forced=forced))
        entry.add_done_callback(lambda _: self._entries.pop(order.id, None))

    async def _entered_first(self, name: str) -> None:
        """What is asked about an order must not overtake the order itself."""
        entry = self._entries.get(name)
        if entry is not None:
            await asyncio.wait((entry,))

    async def _enter(self, known: BotOrder, *, forced: bool) -> None:
        if not (forced or self.allows_orders):
            self.book.take(self._refused(known.id, "the bot is stopped: nothing was sent"))
            return
        try:
            outcome = await self.client.send(entry_of(known.intent, known.deadline_ns), timeout=self.settings.answer_s)
        except (UsageError, PermissionMissing) as error:
            self.book.take(self._refused(known.id, str(error)))
        except KrakenwireError as error:
            self.book.take(records.Unknown(time_ns=self.journal.now_ns(), id=known.id, reason=str(error)))
        else:
            self._entered(known.id, outcome)

    def _entered(self, name: str, outcome: Outcome) -> None:
        now_ns = self.journal.now_ns()
        if outcome.accepted:
            order_id = getattr(outcome.answer, "order_id", "")
            self.book.take(records.Ack(time_ns=now_ns, id=name, order_id=order_id))
        elif outcome.refused and not outcome.error.startswith(_DOUBTFUL):
            self.book.take(self._refused(name, outcome.error))
        else:
            self.book.take(records.Unknown(time_ns=now_ns, id=name, reason=outcome.error))

    def _refused(self, name: str, reason: str) -> records.Refused:
        return records.Refused(time_ns=self.journal.now_ns(), id=name, reason=reason)

    async def _amend(
        self, known: BotOrder, amend: records.AmendIntended, limit: Decimal | None, qty: Decimal | None
    ) -> None:
        await self._entered_first(known.id)
        state: Literal["accepted", "refused", "unknown"] = "refused"
        if not self.allows_orders:
            reason = "the bot is stopped: nothing was sent"
        else:
            request = AmendOrder(cl_ord_id=known.id, limit_price=limit, order_qty=qty, symbol=known.intent.symbol)
            state, reason = await self._asked(request)
        ended = records.AmendEnded(
            time_ns=self.journal.now_ns(), id=known.id, number=amend.number, outcome=state, reason=reason
        )
        self.book.take(ended)

    async def _asked(self, request: AmendOrder) -> tuple[Literal["accepted", "refused", "unknown"], str]:
        try:
            outcome = await self.client.send(request, timeout=self.settings.answer_s)
        except (UsageError, PermissionMissing) as error:
            return "refused", str(error)
        except KrakenwireError as error:
            return "unknown", str(error)
        doubtful = outcome.refused and outcome.error.startswith(_DOUBTFUL)
        return "unknown" if doubtful else outcome.state, outcome.error

    async def _cancel_entered(self, name: str) -> None:
        await self._entered_first(name)
        if self.journal.failure is not None or self.journal.known.orders[name].is_live:
            await self._cancel([name])

    async def _cancel(self, names: Sequence[str]) -> None:
        """Ask for the end of orders by our ids. What becomes of them, their own ends tell."""
        request = CancelOrders(cl_ord_ids=tuple(names))
        try:
            outcome = await self.client.send(request, timeout=self.settings.answer_s)
        except KrakenwireError as error:
            self.alarm = str(error)
            outcome = None
        answers = dict(zip(names, () if outcome is None else outcome.answers, strict=False))
        for name in names:
            if isinstance(answers.get(name), OrderRefused | None):
                self.book.cancel_refused(name, getattr(answers.get(name), "error", self.alarm))
            elif isinstance(answers[name], Unanswered):
                self._doubt.set()

    async def end_own(self) -> None:
        """Have own orders gone before the bot ends, as a stop would, and leave no stop behind."""
        self.trading = False
        asked = [order.id for order in self.journal.known.live if order.canceling and order.id not in self._earlier]
        await self._end_own([order for order in self.journal.known.live if order.id not in asked])
        if not self.journal.known.live:
            self.alarm = ""
        elif self.journal.failure is None:
            await self._end_own(self.journal.known.live)

    async def _end_own(self, live: Sequence[BotOrder]) -> None:
        for start in range(0, len(live), limits.BOT_CANCELS_AT_ONCE):
            part = live[start : start + limits.BOT_CANCELS_AT_ONCE]
            if self.journal.failure is None:
                now_ns = self.journal.now_ns()
                self.journal.append(*(records.CancelIntended(time_ns=now_ns, id=order.id) for order in part))
            await self._cancel([order.id for order in part])
        if self.journal.failure is None:
            await self._until_none_live("to be canceled")

    async def _until_none_live(self, what: str) -> None:
        try:
            async with asyncio.timeout(self.settings.end_s):
                while self.journal.known.live:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            left = ", ".join(order.id for order in self.journal.known.live)
            self.alarm = f"still open, or not known: {left}; they were {what}"

    async def _harmless(self, asking: Coroutine[Any, Any, object]) -> None:
        """Ask for what may be asked again, and say so when it did not come about."""
        try:
            await asking
        except KrakenwireError as error:
            self.alarm = str(error)

    # -- what the venue tells --------------------------------------------------------------

    async def _follow(self, stream: aio.Stream[Any], take: Callable[[Any], None]) -> None:
        async for item in stream:
            take(item)

    async def _settle(self) -> None:
        """Ask about what nobody knows, until it is known; never more often than patience has it."""
        while True:
            await self._doubt.wait()
            self._doubt.clear()
            try:
                await self.reconcile()
            except JournalError:
                raise
            except KrakenwireError:
                self._doubt.set()
            await asyncio.sleep(self.settings.patience.again_s)

    def _ask_after(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(max(0.0, seconds), self._doubt.set)

    # -- tasks --------------------------------------------------------------------------------

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        """A task that fails stops the bot's orders and is an alarm; nothing of it is lost in silence."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.alarm, self.trading = f"{type(error).__name__}: {error}", False
            self.failure = error if isinstance(error, KrakenwireError) else InternalError(self.alarm)
            self._news.set()
