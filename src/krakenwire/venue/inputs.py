"""All that changes a venue from outside, as values that can be written down and done again.

A venue is a function of its settings and its inputs: written down before they
take effect and done again in their order they give the same orders, fills,
balances, ids and market. Each input notes how far the venue had got when it
came, because the crowd acts in between. Keeping what is written is the
driver's work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from krakenwire.errors import DecodeError
from krakenwire.model.answers import Answer
from krakenwire.model.orders import TradingRequest
from krakenwire.venue.access.kept import AccessChange
from krakenwire.venue.trading import Account
from krakenwire.venue.venue import Venue

__all__ = [
    "Asked",
    "ClockMoved",
    "Input",
    "Inputs",
    "LeftOut",
    "ModeSet",
    "Opened",
    "Paid",
    "Reached",
    "decode",
    "seen_until",
]


class Asked(msgspec.Struct, frozen=True, tag="asked", array_like=True):
    """An account asked for something."""

    seen_ns: int
    now_ns: int
    account: str
    request: TradingRequest


class Paid(msgspec.Struct, frozen=True, tag="paid", array_like=True):
    """Money came in from outside, or with negative units went out; `asset` is the v2 name, `kind` the entry's."""

    seen_ns: int
    now_ns: int
    account: str
    asset: str
    units: int
    kind: str


class Opened(msgspec.Struct, frozen=True, tag="opened", array_like=True):
    """An account that is not configured was opened, with plenty of money."""

    seen_ns: int
    now_ns: int
    account: str


class ModeSet(msgspec.Struct, frozen=True, tag="mode", array_like=True):
    """The trading mode was changed."""

    seen_ns: int
    now_ns: int
    status: str


class LeftOut(msgspec.Struct, frozen=True, tag="left out", array_like=True):
    """So much time was left out of the crowd's life."""

    seen_ns: int
    ns: int


class Reached(msgspec.Struct, frozen=True, tag="reached", array_like=True):
    """The venue had got so far when somebody was told about an account."""

    seen_ns: int


class ClockMoved(msgspec.Struct, frozen=True, tag="clock", array_like=True):
    """The venue's clock was moved: from then on it is so far ahead of real time, or with a negative figure behind."""

    seen_ns: int
    now_ns: int
    ahead_ns: int


Input = Asked | Paid | Opened | ModeSet | LeftOut | Reached | ClockMoved
Record = Input | AccessChange
"""What can stand in a journal: nonces and tokens are written among the inputs, in their order."""

_SLICE_NS: Final = 60_000_000_000
"""So much of the venue's life is done again between two reports of how far it has got."""

_encode: Final = msgspec.msgpack.Encoder().encode
_decoder: Final[msgspec.msgpack.Decoder[Record]] = msgspec.msgpack.Decoder(Record)


def decode(record: bytes) -> Record:
    """Return what was written.

    Raises:
        DecodeError: it is nothing of a venue's.
    """
    try:
        return _decoder.decode(record)
    except msgspec.MsgspecError as error:
        raise DecodeError(str(error), record) from None


def seen_until(records: Iterable[bytes]) -> int:
    """Return how far the venue had got when the last of its inputs came, 0 without any.

    Raises:
        DecodeError: a record is nothing of a venue's.
    """
    seen_ns = 0
    for record in records:
        done = decode(record)
        if not isinstance(done, AccessChange):
            seen_ns = done.seen_ns
    return seen_ns


class Inputs:
    """The way in to a venue: each input is written down, then done.

    Args:
        venue: what changes.
        write: keeps one record; what it raises leaves the venue as it was. None keeps nothing.

    Attributes:
        ahead_ns: how far the venue's clock is ahead of real time, as it was moved last.
        latest_ns: the latest time that was told with an input done again, or that the venue had got to by then.
    """

    def __init__(self, venue: Venue, write: Callable[[bytes], None] | None = None) -> None:
        self._venue, self._write = venue, write
        self._written_ns = self.latest_ns = venue.now_ns
        self.ahead_ns = 0

    def ask(self, account: Account, request: TradingRequest, now_ns: int) -> tuple[Answer, ...]:
        """Do what an account asks for; see `Exchange.execute`."""
        self._note(Asked(self._venue.now_ns, now_ns, account.name, request))
        return self._venue.exchange.execute(account, request, now_ns)

    def pay(self, account: Account, asset: str, units: int, now_ns: int, kind: str = "deposit") -> None:
        """Let money in or out; see `Exchange.deposit`."""
        self._note(Paid(self._venue.now_ns, now_ns, account.name, asset, units, kind))
        self._venue.exchange.deposit(account, asset, units, now_ns, kind)

    def open_account(self, name: str, now_ns: int) -> Account:
        """Open an account that is not configured; see `Venue.welcome`."""
        self._note(Opened(self._venue.now_ns, now_ns, name))
        return self._venue.welcome(name, now_ns)

    def set_status(self, status: str, now_ns: int) -> None:
        """Change the trading mode; see `Venue.set_status`."""
        if status != self._venue.status:
            self._note(ModeSet(self._venue.now_ns, now_ns, status))
        self._venue.set_status(status, now_ns)

    def catch_up(self, now_ns: int) -> None:
        """Leave out what of a long pause is to be left out; see `Venue.late_ns`."""
        late_ns = self._venue.late_ns(now_ns)
        if late_ns:
            self._note(LeftOut(self._venue.now_ns, late_ns))
            self._venue.leave_out(late_ns)

    def move_clock(self, ahead_ns: int, now_ns: int) -> None:
        """Write down that the venue's clock is moved; moving it is the driver's work.

        Args:
            ahead_ns: how far it is ahead of real time from then on.
            now_ns: what it says then.
        """
        self._note(ClockMoved(self._venue.now_ns, now_ns, ahead_ns))
        self.ahead_ns = ahead_ns

    def note_access(self, change: AccessChange) -> None:
        """Write down what is to outlive the venue of nonces and tokens."""
        if self._write is not None:
            self._write(_encode(change))

    def reached(self) -> None:
        """Write down how far the venue has got: before anybody is told what happened to an account."""
        if self._venue.now_ns > self._written_ns:
            self._note(Reached(self._venue.now_ns))

    def redo(
        self,
        records: Iterable[bytes],
        access: Callable[[AccessChange], None] = lambda _: None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> int:
        """Do again what was written by a venue of the same settings; return how many records there were.

        Args:
            records: oldest first.
            access: does again what became of nonces and tokens.
            progress: told, with each record and with each minute in between, the venue's time; may raise to give up.

        Raises:
            DecodeError: a record is no input, or of an account that there is not.
        """
        count = 0
        for record in records:
            done = decode(record)
            if isinstance(done, AccessChange):
                access(done)
            else:
                self._live(done.seen_ns, progress)
                self._redo(done)
            count += 1
        self._written_ns = self._venue.now_ns
        self.latest_ns = max(self.latest_ns, self._written_ns)
        return count

    def _live(self, seen_ns: int, progress: Callable[[int], None]) -> None:
        """Let the venue get as far as it had got when an input came."""
        venue = self._venue
        while True:
            for _ in venue.step(min(seen_ns, venue.now_ns + _SLICE_NS)):
                pass
            progress(venue.now_ns)
            if venue.now_ns >= seen_ns:
                return

    def _redo(self, done: Input) -> None:
        venue = self._venue
        if isinstance(done, Asked):
            venue.exchange.execute(self._account(done.account), done.request, done.now_ns)
        elif isinstance(done, Paid):
            venue.exchange.deposit(self._account(done.account), done.asset, done.units, done.now_ns, done.kind)
        elif isinstance(done, Opened):
            venue.welcome(done.account, done.now_ns)
        elif isinstance(done, ModeSet):
            venue.set_status(done.status, done.now_ns)
        elif isinstance(done, LeftOut):
            venue.leave_out(done.ns)
        elif isinstance(done, ClockMoved):
            self.ahead_ns = done.ahead_ns
        if not isinstance(done, Reached | LeftOut):
            self.latest_ns = max(self.latest_ns, done.now_ns)

    def _account(self, name: str) -> Account:
        account = self._venue.ledger.account(name)
        if account is None:
            raise DecodeError("an input of an account that there is not", name)
        return account

    def _note(self, done: Input) -> None:
        if self._write is not None:
            self._write(_encode(done))
        self._written_ns = done.seen_ns
