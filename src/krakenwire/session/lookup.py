"""When REST is asked for what no connection has told of an account, and what of it.

After a gap the account knows what it does not know: orders that have ended
unseen, fills that a snapshot had no room for. This says when to ask for them -
once everything that the venue tells by itself has come - and takes in the
answer. An answer that leaves something open, and a call that fails, are
followed by another one, each later than the one before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from krakenwire import limits
from krakenwire.errors import KrakenwireError
from krakenwire.model import AccountChange, OrderRecord, TradeRecord
from krakenwire.session.account import AccountState

__all__ = ["Findings", "Lookup", "Missing"]

_SECOND: Final = 1_000_000_000


class Missing(NamedTuple):
    """What of an account is to be asked of REST.

    Args:
        order_ids: of orders that have ended unseen.
        since_ns: fills since then, 0 for all of them; None for none.
    """

    order_ids: tuple[str, ...]
    since_ns: int | None


class Findings(NamedTuple):
    """What REST has answered, fills oldest first; None where it was not asked for them."""

    orders: Sequence[OrderRecord]
    trades: Sequence[TradeRecord] | None


class Lookup:
    """What REST is asked about one account.

    Args:
        account: as it is told.
        sources: the channels that have to be live first: until then what is missing may still be told.

    Attributes:
        error: why the last call failed, None when it did not.
    """

    def __init__(self, account: AccountState, sources: Collection[str]) -> None:
        self._account, self._sources = account, sources
        self.error: KrakenwireError | None = None
        self._asked: Missing | None = None
        self._answered: Missing | None = None
        self._gaps = 0
        self._not_before_ns = 0
        self._pause_s = 0.0

    @property
    def pending(self) -> bool:
        """Whether there is something that REST was not asked for yet, or has not answered."""
        return self._asked is not None or (self.error is None and self._missing() not in (None, self._answered))

    def due(self, now_ns: int) -> Missing | None:
        """Return what is to be asked now, once; None for nothing."""
        if self._asked is not None:
            return None
        missing = self._missing()
        if missing is None:
            self._settled()
            return None
        if not self._told() or (now_ns < self._not_before_ns and not self.pending):
            return None
        self._asked, self._gaps = missing, self._account.counters.fill_gaps
        return missing

    def again(self) -> None:
        """Somebody wants to know now: whatever is missing is due."""
        self._settled()

    def found(self, findings: Findings, now_ns: int) -> tuple[AccountChange, ...]:
        """Take in an answer; return what it has changed: orders that have ended, and fills."""
        asked, self._asked = self._asked, None
        account = self._account
        settled = [account.settle(record) for record in findings.orders]
        changes: list[AccountChange] = [order for order in settled if order is not None and not order.is_open]
        if findings.trades is not None:
            changes += account.learn(findings.trades, all_=self._gaps == account.counters.fill_gaps)
        self.error, self._answered = None, asked
        self._pause(now_ns)
        return tuple(changes)

    def failed(self, error: KrakenwireError, now_ns: int) -> None:
        """The call came to nothing."""
        self._asked, self.error = None, error
        self._pause(now_ns)

    def next_deadline_ns(self) -> int | None:
        """Return when something may be `due`, None when only an event can change that."""
        waits = self._asked is None and self._missing() is not None and self._told()
        return self._not_before_ns if waits else None

    def _missing(self) -> Missing | None:
        account = self._account
        if account.whole:
            return None
        return Missing(tuple(account.adrift)[: limits.LOOKUP_ORDERS_MAX], account.missed_since_ns)

    def _told(self) -> bool:
        return all(self._account.step(source) == "live" for source in self._sources)

    def _settled(self) -> None:
        self.error = self._answered = None
        self._not_before_ns, self._pause_s = 0, 0.0

    def _pause(self, now_ns: int) -> None:
        self._pause_s = min(max(limits.LOOKUP_PAUSE_S, 2 * self._pause_s), limits.LOOKUP_PAUSE_MAX_S)
        self._not_before_ns = now_ns + int(self._pause_s * _SECOND)
