"""What a session shows of itself: how the connection stands, what is wanted, what became of it, the books.

The reading half of a `Session`: nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from krakenwire.errors import KrakenwireError
from krakenwire.model import BookReading, Level3Reading, Refused, Status, Subscription, SubscriptionKey
from krakenwire.session.connection import Connection, SessionState
from krakenwire.session.feed import Feed
from krakenwire.session.intake import Intake
from krakenwire.session.lane import Lane
from krakenwire.session.subscriptions import Entry, Ledger
from krakenwire.session.wants import Wants

if TYPE_CHECKING:
    from krakenwire._native import feed as native_feed

__all__ = ["SessionViews"]


class SessionViews:
    """The views of a session on its parts.

    Args:
        connection: the present one.
        wants: what is wanted.
        ledger: what was asked for on the wire.
        intake: what has come.
        feed: what keeps the books.
    """

    def __init__(self, connection: Connection, wants: Wants, ledger: Ledger, intake: Intake, feed: Feed) -> None:
        self._connection, self._wants, self._ledger, self._intake, self._feed = connection, wants, ledger, intake, feed

    @property
    def state(self) -> SessionState:
        """Where the connection is in its life."""
        return self._connection.state

    @property
    def failure(self) -> KrakenwireError | None:
        """Why the session is down for good, None while it is not or when it was stopped."""
        return self._connection.failure

    @property
    def token(self) -> str | None:
        """Sent with requests while the present connection lives."""
        return self._connection.token

    @property
    def status(self) -> Status | None:
        """The venue's trading mode as last told, None before; it may be that of an earlier connection."""
        return self._intake.status

    @property
    def latency_ns(self) -> int | None:
        """Round trip of the last answered ping."""
        return self._connection.liveness.round_trip_ns

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

    def _entries(self, key: SubscriptionKey) -> list[Entry]:
        found = (self._ledger.entries.get(wire_key) for wire_key in self._wants.wire_keys(key))
        return [entry for entry in found if entry is not None]

    def _is(self, key: SubscriptionKey, *states: str) -> bool:
        if not self._wants.wire_keys(key):
            return self.state == "open" and "confirmed" in states
        entries = self._entries(key)
        return bool(entries) and all(entry.state in states for entry in entries)
