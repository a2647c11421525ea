"""The life of one connection to the venue: open, subscribe, stay alive, come back.

A pure state machine: `feed_*` and `poll` take what happened and the time, and
return events; `take_effects` says what the driver has to do; `next_deadline_ns`
when to call `poll`. It opens nothing, waits for nothing and reads no clock.
Next: `intake` for what comes in, `subscriptions` for what is asked for,
`reconnect` and `liveness` for when a connection is given up and tried again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, cast

from krakenwire import limits
from krakenwire.errors import (
    ConnectionBudgetError,
    ConnectionLost,
    FrameTooBig,
    KrakenwireError,
    ProtocolViolation,
    SilenceError,
    UsageError,
)
from krakenwire.model import (
    BookReading,
    Connected,
    Disconnected,
    Event,
    Latency,
    Level3Reading,
    Malformed,
    OrderRecord,
    Outcome,
    Pong,
    Refused,
    Status,
    Subscription,
    SubscriptionKey,
    TradeRecord,
    TradingRequest,
)
from krakenwire.session.config import SessionConfig
from krakenwire.session.counters import SessionCounters
from krakenwire.session.effects import Close, Effect, FetchToken, Open, Send
from krakenwire.session.feed import Feed
from krakenwire.session.intake import Intake
from krakenwire.session.lane import Lane
from krakenwire.session.liveness import Liveness
from krakenwire.session.orders import Orders, Pending, is_token_refusal
from krakenwire.session.ports import Codec
from krakenwire.session.reconnect import ConnectionBudget, Reconnect
from krakenwire.session.subscriptions import Entry, Ledger
from krakenwire.session.switch import DeadMansSwitch
from krakenwire.session.timers import Timers
from krakenwire.session.wants import Wants

if TYPE_CHECKING:
    from krakenwire._native import feed as native_feed

__all__ = ["Session", "SessionState"]

SessionState = Literal["idle", "opening", "open", "closing", "waiting", "down"]
"""`idle` before `start`, `closing` until the driver says the connection is gone,
`waiting` for the next attempt, `down` for good."""

_SECOND = 1_000_000_000
_NORMAL: Final = 1000
_PROTOCOL_ERROR: Final = 1002
_GOING_AWAY: Final = 1001
_LIVENESS: Final = "liveness"
_RETRY: Final = "retry"
_ORDERS: Final = "orders"
_OUTAGE = ("maintenance", "cancel_only")


class Session:
    """One connection, kept alive, with everything wanted subscribed on it.

    Args:
        config: address, version, time limits.
        source: a `Feed`, or the codec to make one of.
        jitter: returns numbers from 0 to 1; spreads reconnects of many clients apart.
        budget: to share among sessions of one address; its own by default.
        orders: for a connection on which orders are placed.
        req_ids: numbers of requests, shared with `orders`; its own by default.

    Attributes:
        counters: everything unusual, counted.
        token: sent with requests while the present connection lives.
    """

    def __init__(
        self,
        config: SessionConfig,
        source: Feed | Codec,
        jitter: Callable[[], float],
        budget: ConnectionBudget | None = None,
        orders: Orders | None = None,
        req_ids: Iterator[int] | None = None,
    ) -> None:
        self.config = config
        self.orders = orders
        self.counters = SessionCounters()
        self.token: str | None = None
        self._feed = source if isinstance(source, Feed) else Feed(source)
        self._codec = cast("Codec", self._feed.codec)
        own = ConnectionBudget(config.attempts_max, config.attempts_window_s)
        self._reconnect = Reconnect(config, budget or own, jitter)
        self._liveness = Liveness(config)
        self._wants = Wants(config.version)
        self._ledger = Ledger(config.resyncs_per_minute, self._feed.lane)
        self._intake = Intake(config, self._ledger, self.counters, self._drop_book)
        self._rows = dict(self._intake.rows)
        self._rows[Pong] = self._take_pong
        self._rows[Refused] = self._take_refused
        if orders is not None:
            self._rows |= orders.rows(self._rows)
        self._timers = Timers()
        self._req_ids = itertools.count(1) if req_ids is None else req_ids
        self._effects: list[Effect] = []
        self._state: SessionState = "idle"
        self._failure: KrakenwireError | None = None
        self._ending: KrakenwireError | None = None
        self._stopping = False
        self._opened_ns: int | None = None
        self._attempt = 0
        self._held_since_ns: int | None = None
        self._token_due = False
        self._token_ns = 0

    # -- views -------------------------------------------------------------------

    @property
    def state(self) -> SessionState:
        """Where the connection is in its life."""
        return self._state

    @property
    def failure(self) -> KrakenwireError | None:
        """Why the session is down for good, None while it is not or when it was stopped."""
        return self._failure

    @property
    def status(self) -> Status | None:
        """The venue's trading mode as last told, None before; it may be that of an earlier connection."""
        return self._intake.status

    @property
    def latency_ns(self) -> int | None:
        """Round trip of the last answered ping."""
        return self._liveness.round_trip_ns

    @property
    def wanted(self) -> Mapping[SubscriptionKey, Subscription]:
        """Everything wanted."""
        return self._wants.wanted

    @property
    def confirmed(self) -> Mapping[SubscriptionKey, Subscription]:
        """What is wanted and confirmed by the venue on this connection."""
        return {key: sub for key, sub in self.wanted.items() if self._is(key, "confirmed")}

    @property
    def failed(self) -> Mapping[SubscriptionKey, Refused]:
        """What is wanted and was refused on this connection, with the refusal."""
        found = ((key, self.refusal(key)) for key in self.wanted)
        return {key: refusal for key, refusal in found if refusal is not None}

    @property
    def in_flight(self) -> Mapping[SubscriptionKey, Subscription]:
        """What is wanted and neither confirmed nor failed: a reply is due, or the connection is not open."""
        done = ("confirmed", "failed")
        return {key: sub for key, sub in self.wanted.items() if not self._is(key, *done)}

    def refusal(self, key: SubscriptionKey) -> Refused | None:
        """Return why a wanted subscription failed on this connection, None when it did not."""
        failed = (entry.refusal for entry in self._entries(key) if entry.state == "failed")
        return next(failed, None)

    def book(self, symbol: str) -> BookReading | None:
        """Return the book of a symbol, None when there is none."""
        return self._feed.book(symbol)

    def level3(self, symbol: str) -> Level3Reading | None:
        """Return the level3 book of a symbol, None when there is none."""
        return self._feed.level3(symbol)

    @property
    def fast(self) -> native_feed.Pass | None:
        """The compiled pass of the feed, None in pure Python."""
        return self._feed.fast

    def lane(self, key: SubscriptionKey) -> Lane | None:
        """Return the lane on which data of a wanted subscription may pass by, None when it has none of its own."""
        entry = self._ledger.entries.get(key)
        return None if entry is None else entry.lane

    # -- what the user wants -------------------------------------------------------

    def start(self, now_ns: int) -> Sequence[Event]:
        """Begin to connect; a session that was started before is left alone."""
        return self._connect(now_ns) if self._state == "idle" else ()

    def stop(self, now_ns: int) -> Sequence[Event]:
        """End the connection and stay down. Nothing is sent any more."""
        self._stopping = True
        if self._state in ("opening", "open"):
            self._close(_NORMAL, "", None)
            return ()
        return () if self._state in ("closing", "down") else self._go_down(None, now_ns)

    def check(self, sub: Subscription) -> Subscription:
        """Return a subscription with its defaults filled in, without subscribing to it.

        Raises:
            UsageError: one that cannot be had in this version.
        """
        return self._wants.check(sub)

    def subscribe(self, subs: Iterable[Subscription], now_ns: int) -> Sequence[Event]:
        """Want subscriptions; one already wanted gets the new parameters.

        Raises:
            UsageError: one that cannot be had in this version; then none is taken.
        """
        for sub in [self._wants.check(sub) for sub in subs]:
            for plan in self._wants.add(sub):
                self._ledger.want(*plan)
        self._settle(now_ns)
        return ()

    def unsubscribe(self, subs: Iterable[Subscription], now_ns: int) -> Sequence[Event]:
        """Want subscriptions no longer; parameters other than the key do not matter."""
        for sub in subs:
            for plan in self._wants.remove(sub.key):
                self._ledger.want(*plan)
            self._intake.forget(sub.key)
        self._settle(now_ns)
        return ()

    def renew(self, subs: Iterable[Subscription], now_ns: int) -> Sequence[Event]:
        """Subscribe confirmed ones again, for their snapshot; rate limited like a resync."""
        for sub in subs:
            for entry in self._entries(sub.key):
                self._intake.renew(entry, now_ns)
        self._settle(now_ns)
        return ()

    def ping(self, now_ns: int) -> int | None:
        """Send a ping; return its `req_id`, None when no connection is open. The answer is a `Latency` event."""
        if self._state != "open":
            return None
        req_id = next(self._req_ids)
        self._liveness.pinged(req_id, now_ns)
        self.counters.pings += 1
        self._effects.append(Send(self._codec.ping(req_id)))
        self._timers.arm(_LIVENESS, self._liveness.deadline_ns())
        return req_id

    def ask(
        self,
        request: TradingRequest,
        now_ns: int,
        timeout_s: float,
        on_outcome: Callable[[Outcome], object] | None = None,
    ) -> Pending:
        """Ask for something about orders; see `Orders.ask`. It is sent at once when it can be.

        Raises:
            UsageError: this connection is not for orders, or the request cannot be sent.
        """
        if self.orders is None:
            raise UsageError("a request about orders", expected="a connection with an account", found=self.config.name)
        pending = self.orders.ask(request, now_ns, timeout_s, on_outcome)
        if self._state == "down":
            self.orders.give_up(_down(self._failure), now_ns)
        self._settle_orders(now_ns)
        return pending

    def serve(self, switch: DeadMansSwitch | None, now_ns: int) -> None:
        """Work a dead man's switch from now on, None for none; also to be called when its owner has touched it."""
        if self.orders is not None:
            self.orders.serve(switch)
            self._settle_orders(now_ns)

    def learn(self, orders: Iterable[OrderRecord], trades: Iterable[TradeRecord] | None, now_ns: int) -> None:
        """Take in what REST says of the account; see `Orders.learn`."""
        if self.orders is not None:
            self.orders.learn(orders, trades)
            self._settle_orders(now_ns)

    # -- what happened ---------------------------------------------------------------

    def feed_opened(self, now_ns: int, token: str | None = None) -> Sequence[Event]:
        """The connection is open. A `token` is used on this connection only."""
        if self._state != "opening":
            return ()
        self._state = "open"
        self._lets_through(True)
        self.token = token
        self._opened_ns = now_ns
        self.counters.reconnects += self._reconnect.opened()
        self._liveness.opened(now_ns)
        self._timers.arm(_LIVENESS, self._liveness.deadline_ns())
        attempt, self._attempt = self._attempt, 0
        self._token_due = False
        self._settle(now_ns)
        self._settle_orders(now_ns)
        return self._counted((Connected(url=self.config.url, attempt=attempt),))

    def token_fetched(self, token: str | None, error: KrakenwireError | None, now_ns: int) -> Sequence[Event]:
        """There is another token for the open connection; without one it is renewed.

        Args:
            token: the new one, None when there is an error.
            error: why there is none.
            now_ns: the time.
        """
        if self._state != "open" or not self._token_due:
            return ()
        if token is None:
            self._close(_GOING_AWAY, "", error)
            return ()
        self._token_due = False
        self.token, self._token_ns = token, now_ns
        self._settle(now_ns)
        self._settle_orders(now_ns)
        return ()

    def feed_frame(self, frame: str | bytes, now_ns: int) -> Sequence[Event]:
        """A frame has come. **Cost**: under a microsecond more than the feed's own work."""
        return self._decoded(self._feed.feed, frame, now_ns)

    def feed_unusual(self, frame: bytes, now_ns: int) -> Sequence[Event]:
        """A frame has come that the compiled pass did not take."""
        return self._decoded(self._feed.feed_exactly, frame, now_ns)

    def feed_events(self, events: Sequence[Event], size: int, now_ns: int) -> Sequence[Event]:
        """A frame of `size` bytes has come and is decoded already."""
        if not self._hears(size, now_ns):
            return ()
        return self._judged(events, now_ns)

    def heard(self, frames: int, size: int, events: int, now_ns: int) -> None:
        """Frames of calm subscriptions went by: `events` were handed out."""
        counters = self.counters
        counters.frames += frames
        counters.bytes += size
        counters.events += events
        if self._held_since_ns is not None:
            self.release(now_ns)
        self._liveness.heard_ns = now_ns

    def _hears(self, size: int, now_ns: int) -> bool:
        """Note a sign of life; return whether its frame counts."""
        if self._state != "open":
            self.counters.frames_ignored += 1
            return False
        if self._held_since_ns is not None:
            self.release(now_ns)
        self.counters.frames += 1
        self.counters.bytes += size
        self._liveness.heard_ns = now_ns
        return True

    def _decoded(
        self, decode: Callable[[str | bytes], Sequence[Event]], frame: str | bytes, now_ns: int
    ) -> Sequence[Event]:
        if not self._hears(len(frame), now_ns):
            return ()
        try:
            if len(frame) > self.config.frame_bytes_max:
                raise FrameTooBig(len(frame), self.config.frame_bytes_max)
            events = decode(frame)
        except ProtocolViolation as error:
            return self._malformed(error)
        return self._judged(events, now_ns)

    def _judged(self, events: Sequence[Event], now_ns: int) -> Sequence[Event]:
        """Have the events of one frame pass the intake; send what they ask for."""
        try:
            if len(events) == 1:
                row = self._rows.get(events[0].__class__)
                if row is not None:
                    events = row(events[0], now_ns)
            else:
                events = [out for event in events for out in self._through(event, now_ns)]
        except ProtocolViolation as error:
            return self._malformed(error)
        if self._ledger.changed:
            self._settle(now_ns)
        if self.orders is not None:
            self._settle_orders(now_ns)
        self.counters.events += len(events)
        return events

    def feed_closed(self, error: KrakenwireError | None, now_ns: int) -> Sequence[Event]:
        """The connection is gone, or could not be opened.

        Args:
            error: why; None for a close without a fault.
            now_ns: the time.
        """
        if self._state not in ("opening", "open", "closing"):
            return ()
        error = (
            self._ending or error or ConnectionLost(self.config.url, "the venue closed the connection", code=_NORMAL)
        )
        opened_ns, self._opened_ns = self._opened_ns, None
        lived_s = 0.0 if opened_ns is None else (now_ns - opened_ns) / _SECOND
        if self.orders is not None:
            self.orders.lost(str(error), now_ns)
        out = self._ended(error)
        out += self._wait_or_go_down(error, lived_s, now_ns)
        self._settle_orders(now_ns)
        return self._counted(out)

    def poll(self, now_ns: int) -> Sequence[Event]:
        """Do what is due by now."""
        out: list[Event] = []
        due = tuple(self._timers.due(now_ns))
        for name in due:
            if name == _RETRY:
                out += self._connect(now_ns)
            elif name == _ORDERS and self.orders is not None:
                out += self.orders.poll(now_ns)
            elif name == _LIVENESS:
                self._check_liveness(now_ns)
            else:
                out += self._check_entry(cast("SubscriptionKey", name), now_ns)
        self._settle(now_ns)
        self._settle_orders(now_ns)
        if self._state == "open" and self._held_since_ns is None:
            self._arm_entries(cast("Iterable[SubscriptionKey]", due))
        return self._counted(out)

    def next_deadline_ns(self) -> int | None:
        """Return when to `poll` at the latest, None when only input can change anything."""
        return self._timers.next_ns()

    def take_effects(self) -> list[Effect]:
        """Return what the driver has to do, in order, and forget it."""
        effects, self._effects = self._effects, []
        return effects

    def hold(self, now_ns: int) -> None:
        """The driver reads no frames for now: what is silent meanwhile is not the venue's fault."""
        if self._held_since_ns is None:
            self._held_since_ns = now_ns

    def release(self, now_ns: int) -> None:
        """The driver reads again: every limit on silence is prolonged by the time it did not."""
        if self._held_since_ns is None:
            return
        held_ns = now_ns - self._held_since_ns
        self._held_since_ns = None
        self._liveness.held(held_ns, now_ns)
        for entry in self._ledger.entries.values():
            entry.sent_ns = min(entry.sent_ns + held_ns, now_ns)
            entry.confirmed_ns = min(entry.confirmed_ns + held_ns, now_ns)
            entry.heard_ns = min(entry.heard_ns + held_ns, now_ns)
        self._arm_entries(self._ledger.entries)
        self._arm_liveness()

    # -- connection life ---------------------------------------------------------------

    def _connect(self, now_ns: int) -> Sequence[Event]:
        """Spend one attempt of the budget, or wait until there is one."""
        try:
            allowed_ns = self._reconnect.attempt(now_ns)
        except ConnectionBudgetError as error:
            return self._go_down(error, now_ns)
        if allowed_ns > now_ns:
            self._state = "waiting"
            self._timers.arm(_RETRY, allowed_ns)
            return ()
        self.counters.attempts += 1
        self._attempt += 1
        self._state = "opening"
        self._effects.append(Open(self.config.url, self.config.connect_timeout_s))
        return ()

    def _lets_through(self, open_: bool) -> None:
        """Say whether frames may be decoded before this session has seen them."""
        if self._feed.fast is not None:
            self._feed.fast.open = open_

    def _close(self, code: int, reason: str, error: KrakenwireError | None) -> None:
        """Ask for the end of the connection; `error` is what it will have ended with."""
        self._ending = error
        self._state = "closing"
        self._ledger.ruffle()
        self._lets_through(False)
        self._feed.invalidate()
        self._timers.clear()
        self._effects = [effect for effect in self._effects if not isinstance(effect, Send)]
        self._effects.append(Close(code, reason))

    def _ended(self, error: KrakenwireError) -> list[Event]:
        """Clear away what belonged to the connection; announce the gaps unless nobody wants it back."""
        self._ending = None
        self._timers.clear()
        self._effects.clear()
        self.token = None
        self._held_since_ns = None
        self._lets_through(False)
        self._feed.invalidate()
        gaps = [] if self._stopping else self._intake.disconnected(_gap_reason(error), self._liveness.heard_ns)
        self._ledger.restart()
        return gaps

    def _wait_or_go_down(self, error: KrakenwireError, lived_s: float, now_ns: int) -> Sequence[Event]:
        if self._stopping:
            return self._go_down(None, now_ns)
        outage = lived_s > 0 and self.status is not None and self.status.system in _OUTAGE
        try:
            retry_ns = self._reconnect.after(error, lived_s, outage, now_ns)
        except KrakenwireError as failure:
            return self._go_down(failure, now_ns)
        self._state = "waiting"
        self._timers.arm(_RETRY, retry_ns)
        return (Disconnected(url=self.config.url, error=error, retry_in_s=(retry_ns - now_ns) / _SECOND),)

    def _go_down(self, failure: KrakenwireError | None, now_ns: int) -> Sequence[Event]:
        self._state = "down"
        self._failure = failure
        self._timers.clear()
        if self.orders is not None:
            self.orders.give_up(_down(failure), now_ns)
        return (Disconnected(url=self.config.url, error=failure, retry_in_s=None),)

    def _malformed(self, error: ProtocolViolation) -> Sequence[Event]:
        self.counters.malformed += 1
        self._close(_PROTOCOL_ERROR, "undecodable frame", error)
        return self._counted((Malformed(error=error),))

    # -- what is due -----------------------------------------------------------------

    def _check_liveness(self, now_ns: int) -> None:
        if self._state != "open":
            return
        if self._held_since_ns is not None:
            self._timers.arm(_LIVENESS, now_ns + _SECOND)
            return
        verdict = self._liveness.check(now_ns)
        if verdict == "dead":
            self.counters.silence += 1
            quiet_s = (now_ns - self._liveness.heard_ns) / _SECOND
            error = SilenceError(self.config.url, f"nothing arrived for {quiet_s:.1f} s")
            self._close(_GOING_AWAY, "silence", error)
        elif verdict == "ping":
            self.ping(now_ns)
        elif verdict is None:
            self._arm_liveness()

    def _arm_liveness(self) -> None:
        if self._state == "open":
            self._timers.arm(_LIVENESS, self._liveness.deadline_ns())

    def _check_entry(self, key: SubscriptionKey, now_ns: int) -> Sequence[Event]:
        entry = self._ledger.entries.get(key)
        if entry is None or self._state != "open" or self._held_since_ns is not None:
            return ()
        due_ns = self._intake.deadline_ns(entry)
        return self._intake.check(entry, now_ns) if due_ns is not None and due_ns <= now_ns else ()

    def _arm_entries(self, keys: Iterable[SubscriptionKey]) -> None:
        for key in keys:
            entry = self._ledger.entries.get(key)
            if entry is not None:
                self._timers.arm(key, self._intake.deadline_ns(entry))

    def _take_pong(self, event: Event, now_ns: int) -> Sequence[Event]:
        round_trip_ns = self._liveness.pong(event.req_id, now_ns) if isinstance(event, Pong) else None
        return (event,) if round_trip_ns is None else (event, Latency(round_trip_ns=round_trip_ns))

    def _through(self, event: Event, now_ns: int) -> Sequence[Event]:
        row = self._rows.get(event.__class__)
        return (event,) if row is None else row(event, now_ns)

    # -- requests ----------------------------------------------------------------------

    def _settle(self, now_ns: int) -> None:
        """Send what brings the venue closer to what is wanted; arm the deadlines that moved."""
        changed = self._ledger.changed
        if not changed or self._state != "open" or self._token_due:
            return
        subscribe, unsubscribe = self._ledger.to_send(now_ns)
        for sub in subscribe:
            self._expect_book(sub)
        requests = self._codec.unsubscribe(unsubscribe, self._req_ids, self.token) if unsubscribe else []
        requests += self._codec.subscribe(subscribe, self._req_ids, self.token) if subscribe else []
        for request in requests:
            self._effects.append(Send(request.frame))
            self._ledger.sent(request, now_ns)
        self._arm_entries(changed)
        self._liveness.expect_heartbeats(now_ns, self._ledger.any_active)
        self._arm_liveness()

    def _settle_orders(self, now_ns: int) -> None:
        """Send what the connection, the token and the account's pace allow; wake when more may go or is over."""
        orders = self.orders
        if orders is None:
            return
        if orders.wants_token:
            orders.wants_token = False
            self._fetch_token()
        sendable = self._state == "open" and not self._token_due
        if sendable and self.token is not None:
            self._effects += [Send(frame) for frame in orders.frames(self.token, now_ns)]
        self._timers.arm(_ORDERS, orders.next_deadline_ns(now_ns, sendable))

    def _fetch_token(self) -> None:
        if self._state == "open" and not self._token_due:
            self._token_due = True
            self._effects.append(FetchToken())

    def _take_refused(self, event: Event, now_ns: int) -> Sequence[Event]:
        """A subscription refused for its token is asked for again with another one, unless that one is new."""
        assert isinstance(event, Refused)
        fresh = now_ns - self._token_ns < limits.TOKEN_RENEWAL_PAUSE_S * _SECOND
        if self.orders is not None and is_token_refusal(event.error) and not fresh:
            entries = [entry for entry in self._ledger.refused(event) if entry.state == "subscribing"]
            for entry in entries:
                self._ledger.gone(entry)
            if entries:
                self._fetch_token()
                return ()
        return self._intake.rows[Refused](event, now_ns)

    def _expect_book(self, sub: Subscription) -> None:
        expect = {"book": self._feed.expect_book, "level3": self._feed.expect_level3}.get(sub.channel)
        if expect is not None and sub.symbol is not None and sub.depth is not None:
            expect(sub.symbol, sub.depth)

    def _drop_book(self, entry: Entry) -> None:
        channel, symbol, _ = entry.key
        if channel == "book" and symbol is not None:
            self._feed.drop_book(symbol)
        elif channel == "level3" and symbol is not None:
            self._feed.drop_level3(symbol)

    def _entries(self, key: SubscriptionKey) -> list[Entry]:
        found = (self._ledger.entries.get(wire_key) for wire_key in self._wants.wire_keys(key))
        return [entry for entry in found if entry is not None]

    def _is(self, key: SubscriptionKey, *states: str) -> bool:
        if not self._wants.wire_keys(key):
            return self._state == "open" and "confirmed" in states
        entries = self._entries(key)
        return bool(entries) and all(entry.state in states for entry in entries)

    def _counted(self, events: Sequence[Event]) -> Sequence[Event]:
        self.counters.events += len(events)
        return events


def _down(failure: KrakenwireError | None) -> str:
    return "the client was closed" if failure is None else str(failure)


def _gap_reason(error: KrakenwireError) -> str:
    if isinstance(error, SilenceError):
        return "silence"
    return "malformed" if isinstance(error, ProtocolViolation) else "disconnected"
