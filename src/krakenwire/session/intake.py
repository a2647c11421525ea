"""What comes in over the subscriptions: data, replies, and what is missing.

Each event of the feed passes one row of `Intake.rows`: it is matched to its
wire subscription, checked for completeness, and handed on under the names users
wanted. Gaps are opened and closed here, and nothing unwanted gets through.
It sends nothing: it changes the `Ledger`, the session sends what that asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import msgspec

from krakenwire.model import (
    BalanceChanges,
    Balances,
    BookUpdate,
    Candles,
    ChecksumFailed,
    Event,
    Executions,
    Gap,
    Instruments,
    Level3Update,
    Refused,
    Resynced,
    Spread,
    Status,
    Subscribed,
    Subscription,
    SubscriptionKey,
    Ticker,
    Trades,
    Unknown,
    Unsubscribed,
)
from krakenwire.protocol.symbols import explain_refusal
from krakenwire.session.config import SessionConfig
from krakenwire.session.counters import SessionCounters
from krakenwire.session.derive import CandleCloser, SpreadSource
from krakenwire.session.integrity import TradeIds
from krakenwire.session.subscriptions import Entry, Ledger, is_already, is_not_found

__all__ = ["NO_REPLY", "Intake"]

NO_REPLY: Final = "no reply"
"""The `error` of a `Refused` that the venue never sent: it did not answer."""

_SECOND = 1_000_000_000
_MINUTE_NS = 60 * _SECOND
_BOOKS = ("book", "level3")
_ACCOUNT = ("executions", "openOrders", "ownTrades", "balances")
_BEGIN_WITH_SNAPSHOT = (*_BOOKS, *_ACCOUNT)
_NEVER_LONG_SILENT = ("book", "level3", "ticker")
_HEALED_BY_REPLY = ("trade",)
_TRANSIENT = ("exceeded msg rate",)
_SYMBOL_REFUSED = ("currency pair not",)
_STRIKES_MAX = 5

_Take = Callable[[Event, int], Sequence[Event]]


class Intake:
    """The receiving half of a session.

    Args:
        config: time limits and version.
        ledger: the wire subscriptions.
        counters: where everything unusual is counted.
        drop_book: called with a symbol when its books are to be live no more.
    """

    def __init__(
        self,
        config: SessionConfig,
        ledger: Ledger,
        counters: SessionCounters,
        drop_book: Callable[[Entry], None],
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._entries = ledger.entries
        self._counters = counters
        self._drop_book = drop_book
        self._spreads: dict[str | None, SpreadSource] = {}
        self._candles: dict[SubscriptionKey, CandleCloser] = {}
        self._trade_ids: dict[SubscriptionKey, TradeIds] = {}
        self._sequences: dict[SubscriptionKey, int] = {}
        self._begun: set[SubscriptionKey] = set()
        self._open: dict[SubscriptionKey, int] = {}
        self.status: Status | None = None
        self.rows: Mapping[type, _Take] = cast(
            "Mapping[type, _Take]",
            {
                BalanceChanges: self._take_account,
                Balances: self._take_account,
                BookUpdate: self._take_book,
                Candles: self._take_candles,
                ChecksumFailed: self._take_checksum_failed,
                Executions: self._take_account,
                Gap: self._take_unreadable,
                Instruments: self._take_plain,
                Level3Update: self._take_level3,
                Refused: self._take_refused,
                Spread: self._take_plain,
                Status: self._take_status,
                Subscribed: self._take_subscribed,
                Ticker: self._take_ticker,
                Trades: self._take_trades,
                Unknown: self._take_unknown,
                Unsubscribed: self._take_unsubscribed,
            },
        )

    def forget(self, key: SubscriptionKey) -> None:
        """A subscription is wanted no longer: what was derived for it starts over next time."""
        self._begun.discard(key)
        self._open.pop(key, None)
        self._candles.pop(key, None)
        self._trade_ids.pop(key, None)
        if key[0] == "spread":
            self._spreads.pop(key[1], None)

    # -- data ------------------------------------------------------------------

    def _take_book(self, event: BookUpdate, now_ns: int) -> Sequence[Event]:
        entry = self._entries.get(("book", event.symbol, None))
        if entry is None or not entry.faces:
            return self._unwanted()
        entry.heard_ns = now_ns
        if entry.calm and event.verified:
            return (event,)
        book = event.book
        live = book is not None and book.state == "live"
        out = self._heard(entry, now_ns, live, event.kind == "update")
        for face in entry.faces:
            if face.channel == "book":
                out.append(event)
            elif (spread := self._spread(event.symbol).from_book(event)) is not None:
                out.append(spread)
        return out

    def _take_level3(self, event: Level3Update, now_ns: int) -> Sequence[Event]:
        entry = self._entries.get(("level3", event.symbol, None))
        if entry is None or not entry.faces:
            return self._unwanted()
        entry.heard_ns = now_ns
        live = event.book is not None and event.book.state == "live"
        return [*self._heard(entry, now_ns, live, event.kind == "update"), event]

    def _take_ticker(self, event: Ticker, now_ns: int) -> Sequence[Event]:
        entry = self._entries.get(("ticker", event.symbol, None))
        if entry is None or not entry.faces:
            return self._unwanted()
        entry.heard_ns = now_ns
        if entry.calm:
            return (event,)
        out = self._heard(entry, now_ns, True, entry.has_snapshot)
        for face in entry.faces:
            if face.channel == "ticker":
                out.append(event)
            elif (spread := self._spread(event.symbol).from_ticker(event)) is not None:
                out.append(spread)
        return out

    def _take_trades(self, event: Trades, now_ns: int) -> Sequence[Event]:
        entry = self._entries.get(("trade", event.symbol, None))
        if entry is None or not entry.faces:
            return self._unwanted()
        out = self._heard(entry, now_ns, True, True)
        ids = self._trade_ids.get(entry.key)
        if ids is None:
            ids = self._trade_ids[entry.key] = TradeIds()
        ids.follow(entry.lane.next_trade_id)
        trades, missing = ids.take(event)
        entry.lane.next_trade_id = ids.next_id
        self._counters.duplicates += len(event.trades) - len(trades)
        if missing:
            out += self._gaps(entry.faces, "trade ids", entry.heard_ns, missing)
        entry.heard_ns = now_ns
        if trades is not event.trades:
            event = Trades(symbol=event.symbol, kind=event.kind, trades=trades)
        return [*out, event] if trades else out

    def _take_candles(self, event: Candles, now_ns: int) -> Sequence[Event]:
        entry = self._entries.get(("ohlc", event.symbol, event.interval))
        if entry is None or not entry.faces:
            return self._unwanted()
        entry.heard_ns = now_ns
        out = self._heard(entry, now_ns, True, True)
        closer = self._candles.get(entry.key)
        if closer is None:
            closer = self._candles[entry.key] = CandleCloser()
        event = closer.feed(event)
        return [*out, event] if event.candles else out

    def _take_plain(self, event: Spread | Instruments, now_ns: int) -> Sequence[Event]:
        entry = self._entries.get((event.channel, event.symbol, None))
        if entry is None or not entry.faces:
            return self._unwanted()
        entry.heard_ns = now_ns
        return [*self._heard(entry, now_ns, True, True), event]

    def _take_account(self, event: Executions | Balances | BalanceChanges, now_ns: int) -> Sequence[Event]:
        """Messages about the account are numbered: a number left out is a loss, and the snapshot is asked for anew."""
        source = event.source if isinstance(event, Executions) else event.channel
        entry = self._entries.get((source, None, None))
        if entry is None or not entry.faces:
            return self._unwanted()
        out: list[Event] = []
        first = event.kind == "snapshot" and event.sequence == 1
        missing = 0 if first else event.sequence - self._sequences.get(entry.key, 0) - 1
        self._sequences[entry.key] = event.sequence
        if missing:
            entry.has_snapshot = False
            out += self._broken(entry, "sequence", entry.heard_ns, max(0, missing))
            self._renew(entry, now_ns)
        elif event.kind == "snapshot":
            entry.has_snapshot = True
        entry.heard_ns = now_ns
        whole = all(
            other.has_snapshot for other in self._entries.values() if any(face in entry.faces for face in other.faces)
        )
        return [*out, *self._heard(entry, now_ns, whole, event.kind == "update"), event]

    def _heard(self, entry: Entry, now_ns: int, complete: bool, update: bool) -> list[Event]:
        """Note data; return `Resynced` when it closes a gap. Data is as good as a lost confirmation."""
        out: list[Event] = []
        if entry.state == "failed":
            out += self._confirm(entry, None, now_ns)
        if update and entry.strikes:
            entry.strikes = 0
            self._ledger.touch(entry)
        if complete and entry.state != "unsubscribing":
            entry.has_snapshot = True
            out += self._resynced(entry, now_ns)
            if out and entry.renew:
                entry.renew = False  # it was waiting for its turn, and is whole again without
        alone = len(entry.faces) == 1 and entry.faces[0].key == entry.key and entry.key[0] not in _ACCOUNT
        entry.calm = alone and complete and not entry.strikes and entry.state == "confirmed"
        return out

    def _spread(self, symbol: str) -> SpreadSource:
        source = self._spreads.get(symbol)
        if source is None:
            source = self._spreads[symbol] = SpreadSource()
        return source

    def _unwanted(self) -> Sequence[Event]:
        self._counters.unwanted += 1
        return ()

    # -- replies ---------------------------------------------------------------

    def _take_subscribed(self, event: Subscribed, now_ns: int) -> Sequence[Event]:
        entry = self._ledger.confirmed(event, now_ns)
        if entry is None:
            self._counters.replies_late += 1
            return ()
        return self._announce(entry, event, now_ns)

    def _take_unsubscribed(self, event: Unsubscribed, now_ns: int) -> Sequence[Event]:
        before = self._entries.get(event.subscription.key)
        asked_for = before is not None and before.in_flight
        entry = self._ledger.ended(event)
        if entry is None:
            self._counters.replies_late += 1
            return ()
        out: list[Event] = []
        if not asked_for and entry.target is not None:
            out += self._broken(entry, "disconnected", now_ns)
            entry.not_before_ns = self._next_renewal_ns(entry, now_ns)
        return [*out, event]

    def _take_refused(self, event: Refused, now_ns: int) -> Sequence[Event]:
        entries = self._ledger.refused(event)
        transient = event.error.lower().startswith(_TRANSIENT)
        if not entries and self._ledger.knows(event.req_id):
            self._counters.replies_late += 1
            return ()
        if not entries or transient:
            self._counters.refused += 1
            return (event,)
        out: list[Event] = []
        for entry in entries:
            if entry.state == "unsubscribing":
                self._ledger.gone(entry)
                self._drop_book(entry)
                out += () if is_not_found(event) else (event,)
            elif is_already(event):
                depth_known = entry.sends > 1 or entry.key[0] not in _BOOKS
                out += self._confirm(entry, event.req_id, now_ns)
                if not depth_known:
                    self._renew(entry, now_ns)
            else:
                out += self.fail(entry, event)
        return out

    def fail(self, entry: Entry, refusal: Refused) -> list[Event]:
        """The venue does not give this subscription: tell each face."""
        symbol = entry.key[1]
        hint = refusal.hint
        if not hint and symbol is not None and refusal.error.lower().startswith(_SYMBOL_REFUSED):
            hint = explain_refusal(symbol, symbol)
        refusal = msgspec.structs.replace(
            refusal, channel_name=entry.key[0], interval=entry.key[2], symbol=symbol, hint=hint
        )
        faces = entry.faces
        self._counters.refused += 1
        self._ledger.fail(entry, refusal, unknown=refusal.error == NO_REPLY)
        return [msgspec.structs.replace(refusal, channel_name=face.channel) for face in faces]

    def _confirm(self, entry: Entry, req_id: int | None, now_ns: int) -> list[Event]:
        """The venue has the subscription, though it did not say so plainly."""
        self._ledger.confirm(entry, now_ns)
        sub = entry.actual
        return [] if sub is None else self._announce(entry, Subscribed(subscription=sub, req_id=req_id), now_ns)

    def _announce(self, entry: Entry, event: Subscribed, now_ns: int) -> list[Event]:
        """Tell each face that it is confirmed; without a snapshot to come that closes a gap too."""
        out: list[Event] = [
            event if face.key == event.subscription.key else msgspec.structs.replace(event, subscription=face)
            for face in entry.faces
        ]
        self._begun.update(face.key for face in entry.faces)
        if entry.key in self._trade_ids:
            ids = self._trade_ids[entry.key]
            ids.follow(entry.lane.next_trade_id)
            ids.renewed()
            entry.lane.next_trade_id = ids.next_id
        if entry.key[0] in _HEALED_BY_REPLY:
            out += self._resynced(entry, now_ns)
        return out

    # -- the rest ----------------------------------------------------------------

    def _take_checksum_failed(self, event: ChecksumFailed, now_ns: int) -> Sequence[Event]:
        self._counters.checksum_failures += 1
        entry = self._entries.get((event.channel_name, event.symbol, None))
        if entry is None or not entry.faces:
            return self._unwanted()
        own = entry.faces[0].key == entry.key
        out = self._broken(entry, "checksum", now_ns)
        self._renew(entry, now_ns)
        return [event, *out] if own else out

    def _take_unreadable(self, event: Gap, now_ns: int) -> Sequence[Event]:
        """The feed could not read one book message: as with a wrong checksum, that book alone is renewed."""
        entry = self._entries.get((event.channel_name, event.symbol, None))
        if entry is None or not entry.faces:
            return self._unwanted()
        self._counters.malformed += 1
        out = self._broken(entry, event.reason, now_ns)
        self._renew(entry, now_ns)
        return out

    def _take_status(self, event: Status, now_ns: int) -> Sequence[Event]:
        del now_ns
        self.status = event
        return (event,)

    def _take_unknown(self, event: Unknown, now_ns: int) -> Sequence[Event]:
        del now_ns
        self._counters.unknown += 1
        return (event,)

    # -- gaps --------------------------------------------------------------------

    def disconnected(self, reason: str, since_ns: int) -> list[Event]:
        """The connection is gone: everything that was ever confirmed has a gap from here on."""
        out: list[Event] = []
        for entry in self._entries.values():
            confirmed = entry.state == "confirmed"
            broken = [face for face in entry.faces if confirmed or face.key in self._begun]
            out += self._open_gap(entry, broken, reason, since_ns)
        return out

    def _broken(self, entry: Entry, reason: str, since_ns: int, dropped: int = 0) -> list[Event]:
        """One subscription is not complete any more."""
        return self._open_gap(entry, entry.faces, reason, since_ns, dropped)

    def _open_gap(
        self, entry: Entry, faces: Sequence[Subscription], reason: str, since_ns: int, dropped: int = 0
    ) -> list[Event]:
        """Announce a gap, once until it is closed, even if another wire subscription serves a face by then."""
        entry.calm = False
        if entry.key in self._candles:
            self._candles[entry.key].gap()
        fresh = [face for face in faces if face.key not in self._open]
        self._open.update((face.key, since_ns) for face in fresh)
        return self._gaps(fresh, reason, since_ns, dropped)

    def _gaps(self, faces: Sequence[Subscription], reason: str, since_ns: int, dropped: int) -> list[Event]:
        self._counters.gaps += len(faces)
        return [
            Gap(
                channel_name=face.channel,
                symbol=face.symbol,
                interval=face.interval,
                reason=reason,
                since_ns=since_ns,
                dropped=dropped,
            )
            for face in faces
        ]

    def _resynced(self, entry: Entry, now_ns: int) -> list[Event]:
        closed = [(face, self._open.pop(face.key)) for face in entry.faces if face.key in self._open]
        return [_resynced(face, now_ns - since_ns) for face, since_ns in closed]

    # -- deadlines ---------------------------------------------------------------

    def deadline_ns(self, entry: Entry) -> int | None:
        """Return when to `check` an entry next, None when only an event can change it."""
        if entry.in_flight:
            return entry.sent_ns + int(self._config.reply_timeout_s * _SECOND)
        if entry.target is None or entry.state == "failed":
            return None
        if entry.state == "absent" or entry.renew:
            return entry.not_before_ns
        if entry.key[0] in _BEGIN_WITH_SNAPSHOT and not entry.has_snapshot:
            return entry.confirmed_ns + int(self._config.snapshot_timeout_s * _SECOND)
        if entry.key[0] in _NEVER_LONG_SILENT:
            return entry.heard_ns + (int(self._config.subscription_silence_s * _SECOND) << entry.strikes)
        return None

    def check(self, entry: Entry, now_ns: int) -> list[Event]:
        """A deadline of an entry has passed: ask again, give up, or renew it."""
        if entry.in_flight:
            return self._no_reply(entry, now_ns)
        if entry.state == "absent" or entry.renew:
            self._ledger.touch(entry)
            return []
        silent = entry.has_snapshot or entry.key[0] not in _BEGIN_WITH_SNAPSHOT
        if silent:
            self._counters.silence += 1
            entry.strikes = min(entry.strikes + 1, _STRIKES_MAX)
        out = self._broken(entry, "silence" if silent else "snapshot timeout", entry.heard_ns)
        self._renew(entry, now_ns)
        return out

    def _no_reply(self, entry: Entry, now_ns: int) -> list[Event]:
        if entry.state == "subscribing" and entry.has_snapshot:
            return self._confirm(entry, None, now_ns)
        if entry.sends < 2:
            self._ledger.again(entry)
            return []
        if entry.state == "unsubscribing":
            self._ledger.gone(entry)
            self._drop_book(entry)
            return []
        hint = "The venue did not answer the request; it is asked again on the next connection"
        return self.fail(entry, Refused(method="subscribe", error=NO_REPLY, hint=hint))

    def renew(self, entry: Entry, now_ns: int) -> None:
        """Subscribe again, so that the venue sends its snapshot once more; no gap is announced."""
        if entry.state == "confirmed":
            self._renew(entry, now_ns)

    def _renew(self, entry: Entry, now_ns: int) -> None:
        """Subscribe again for the subscription's own fault, not more often than its limit."""
        entry.calm = False
        if entry.renew or entry.state == "absent":
            return
        entry.renew = True
        entry.not_before_ns = self._next_renewal_ns(entry, now_ns)
        self._counters.resyncs += 1
        self._ledger.touch(entry)

    def _next_renewal_ns(self, entry: Entry, now_ns: int) -> int:
        renewals = entry.renewals
        full = len(renewals) == renewals.maxlen
        when_ns = max(now_ns, renewals[0] + _MINUTE_NS) if full else now_ns
        renewals.append(when_ns)
        return when_ns


def _resynced(face: Subscription, down_ns: int) -> Resynced:
    return Resynced(channel_name=face.channel, symbol=face.symbol, interval=face.interval, down_ns=down_ns)
