"""The folder of one bot: its journal, which is also its lock; requests to it; and how it stands.

    journal          every record of `krakenwire.trading.records`, synced
    control/*.json   requests from another terminal, whole or not there
    status.json      how the bot stands, written by it

A request is done when its file is gone, and its file goes only after what it
asks for stands in the journal; one that waits for a bot that is not running is
read when it is started. A request that cannot be read stops the bot.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, NamedTuple, Protocol, Self

import msgspec

from krakenwire.errors import JournalBusy, JournalError
from krakenwire.storage.journal import Journal
from krakenwire.trading.intents import Intent
from krakenwire.trading.records import AmendIntended, CancelIntended, Intended, Record, decode, encode
from krakenwire.trading.recovery import Recovered
from krakenwire.trading.stops import StopLevel

__all__ = [
    "Amendable",
    "BotFolder",
    "BotJournal",
    "Request",
    "RequestKind",
    "is_running",
    "pending_requests",
    "read_status",
    "request_flatten",
    "request_resume",
    "request_stop",
]

RequestKind = Literal["stop", "resume", "flatten"]

_JOURNAL: Final = "journal"
_CONTROL: Final = "control"
_STATUS: Final = "status.json"
_SECOND: Final = 1_000_000_000
_BUSY: Final = "Stop the bot that has it with `krakenwire bot stop`, or give this one a folder of its own"


class Amendable(Protocol):
    """What the journal needs of an order."""

    @property
    def id(self) -> str: ...


class BotJournal:
    """The journal of a bot, and what it adds up to.

    A failed write is the end of it: nothing more can be written, so nothing more is sent.

    Args:
        path: the file; it is made where there is none.
        deadline_s: how long the venue may take an order in, after it was written down.
        now_ns: our clock.

    Attributes:
        known: what the records add up to; each one is applied when it is on the disk.
        failure: why no record can be written any more; None while one can.

    Raises:
        JournalError: as `krakenwire.storage.journal.Journal`, and for a record of another version.
    """

    def __init__(
        self, path: Path, *, deadline_s: float, now_ns: Callable[[], int] = time.time_ns, sync: bool = True
    ) -> None:
        self._deadline_ns = int(deadline_s * _SECOND)
        self.now_ns = now_ns
        self._journal = Journal(path, sync=sync)
        self.failure: JournalError | None = None
        self._number, self._numbering = 0, threading.Lock()
        self.known = Recovered()
        try:
            for data in self._journal:
                self.known.apply(decode(data, str(path)))
        except BaseException:
            self._journal.close()
            raise

    @property
    def cut_bytes(self) -> int:
        """What a crash had left unfinished at the end."""
        return self._journal.cut_bytes

    def append(self, *records: Record, sync: bool | None = None) -> None:
        """Write records, all or none; they are on the disk when this returns.

        Args:
            *records: in this order.
            sync: False for what the venue can tell again: it outlives this process, and the next that waits.

        Raises:
            JournalError: they are not.
        """
        if self.failure is not None:
            raise self.failure
        try:
            self._journal.extend([encode(record) for record in records], sync=sync)
        except JournalError as error:
            self.failure = error
            raise
        for record in records:
            self.known.apply(record)

    def new_id(self) -> str:
        """Return an id that no order of this journal has, nor any that was handed out before. Any thread may ask."""
        with self._numbering:
            self._number = number = max(self._number, self.known.last_number) + 1
        return f"{self.known.head.prefix if self.known.head else ''}{number}"

    def intent(self, intent: Intent) -> None:
        """Write down that an order is about to leave."""
        self.append(self.intended(intent))

    def amend(self, order: Amendable, limit: Decimal | None, qty: Decimal | None) -> None:
        """Write down that an amendment is about to leave."""
        self.append(self.amending(order, limit, qty))

    def cancel(self, order: Amendable) -> None:
        """Write down that a cancel is about to leave."""
        self.append(self.canceling(order))

    def intended(self, intent: Intent) -> Intended:
        """Return the record of `intent`, to be written together with others."""
        now_ns = self.now_ns()
        return Intended(time_ns=now_ns, intent=intent, deadline_ns=now_ns + self._deadline_ns)

    def amending(self, order: Amendable, limit: Decimal | None, qty: Decimal | None) -> AmendIntended:
        """Return the record of `amend`; of an order whose intent is not written yet it is the first amendment."""
        known = self.known.orders.get(order.id)
        number = 1 if known is None else known.amended + 1
        return AmendIntended(time_ns=self.now_ns(), id=order.id, number=number, limit=limit, qty=qty)

    def canceling(self, order: Amendable) -> CancelIntended:
        """Return the record of `cancel`."""
        return CancelIntended(time_ns=self.now_ns(), id=order.id)

    def close(self) -> None:
        """Close the file, which lets go of the lock."""
        self._journal.close()


class Request(NamedTuple):
    """What another terminal asks of a bot.

    Args:
        path: where it stands; `BotFolder.done` takes it away.
        level: of a stop.
    """

    path: Path
    kind: RequestKind
    reason: str
    who: str
    level: StopLevel = StopLevel.NO_ORDERS


class _Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request as it stands in its file."""

    kind: RequestKind
    reason: str = ""
    who: str = "operator"
    level: StopLevel = StopLevel.NO_ORDERS


class BotFolder:
    """The folder of a bot that runs. A context manager: one process at a time.

    Args:
        path: made where there is none, for its owner only.
        deadline_s, now_ns, sync: of the journal.

    Attributes:
        path: the folder.
        journal: see `BotJournal`.

    Raises:
        JournalBusy: another process runs the bot of this folder.
        JournalError: the folder cannot be used.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        deadline_s: float = 5.0,
        now_ns: Callable[[], int] = time.time_ns,
        sync: bool = True,
    ) -> None:
        self.path = Path(path)
        try:
            (self.path / _CONTROL).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise JournalError(str(self.path), error.strerror or str(error)) from error
        try:
            self.journal = BotJournal(self.path / _JOURNAL, deadline_s=deadline_s, now_ns=now_ns, sync=sync)
        except JournalBusy:
            raise JournalBusy(str(self.path), "another process runs the bot of this folder", hint=_BUSY) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder; closing twice does nothing."""
        self.journal.close()

    def requests(self) -> list[Request]:
        """Return what is asked of the bot, oldest first."""
        return pending_requests(self.path)

    def done(self, request: Request) -> None:
        """Take away a request that was carried out."""
        request.path.unlink(missing_ok=True)

    def write_status(self, status: Mapping[str, object]) -> None:
        """Say how the bot stands: JSON values, and Decimals, which become text."""
        _write(self.path / _STATUS, status, sync=False)


# -- from another terminal -----------------------------------------------------------


def request_stop(
    folder: str | os.PathLike[str], level: StopLevel = StopLevel.CANCEL_OWN, reason: str = "", *, who: str = "operator"
) -> Path:
    """Ask a bot to stop; return the file that is gone when it has. It works on one that is started later, too.

    Raises:
        JournalError: the folder is not that of a bot, or cannot be written.
    """
    return _request(folder, _Written(kind="stop", level=level, reason=reason, who=who))


def request_resume(folder: str | os.PathLike[str], reason: str = "", *, who: str = "operator") -> Path:
    """Lift the stops of a bot, as `request_stop`."""
    return _request(folder, _Written(kind="resume", reason=reason, who=who))


def request_flatten(folder: str | os.PathLike[str], reason: str = "", *, who: str = "operator") -> Path:
    """Ask a bot to stop, to cancel its orders and to close its position, as `request_stop`."""
    return _request(folder, _Written(kind="flatten", level=StopLevel.CANCEL_OWN, reason=reason, who=who))


def pending_requests(folder: str | os.PathLike[str]) -> list[Request]:
    """Return the requests that were not carried out yet, oldest first. One that cannot be read is a stop."""
    return [_read(path) for path in sorted((Path(folder) / _CONTROL).glob("*.json"))]


def read_status(folder: str | os.PathLike[str]) -> dict[str, object] | None:
    """Return how the bot stood when it last said so; None when it never has.

    Raises:
        JournalError: the file cannot be read.
    """
    path = Path(folder) / _STATUS
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise JournalError(str(path), str(error)) from error


def is_running(folder: str | os.PathLike[str]) -> bool:
    """Return whether a process has the bot of a folder open. It changes nothing."""
    import fcntl

    try:
        with (Path(folder) / _JOURNAL).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    except FileNotFoundError:
        return False
    return False


def _request(folder: str | os.PathLike[str], written: _Written) -> Path:
    control = Path(folder) / _CONTROL
    if not control.is_dir():
        raise JournalError(str(folder), "this is not the folder of a bot", hint="Give the folder that it was run with")
    path = control / f"{time.time_ns():020d}-{os.getpid()}.json"
    _write(path, written, sync=True)
    return path


def _read(path: Path) -> Request:
    try:
        written = msgspec.json.decode(path.read_bytes(), type=_Written)
    except (OSError, msgspec.DecodeError) as error:
        return Request(path, "stop", f"the request {path.name} cannot be read: {error}", "operator")
    return Request(path, written.kind, written.reason, written.who, written.level)


def _write(path: Path, value: object, *, sync: bool) -> None:
    """Write a file that is there whole, or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(msgspec.json.encode(value))
            file.flush()
            if sync:
                os.fsync(file.fileno())
        beside.replace(path)
        if sync:
            _sync_folder(path.parent)
    except OSError as error:
        raise JournalError(str(path), error.strerror or str(error)) from error


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
