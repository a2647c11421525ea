"""What a bot writes into its journal: one record for each thing that must survive its end.

An intent is written, and is on the disk, before its bytes leave. Records are
JSON with their kind in ``type``; a reader of this version refuses what it does
not know. What they add up to is in `recovery`; where they are kept, in
`storage.bot_folder`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal, TypeAlias

import msgspec

from krakenwire.errors import ConfigError, JournalDamaged, JournalError
from krakenwire.model.market import OrderSide
from krakenwire.trading.intents import Intent
from krakenwire.trading.stops import StopLevel

__all__ = [
    "VERSION",
    "Absent",
    "Ack",
    "AmendEnded",
    "AmendIntended",
    "Baseline",
    "CancelIntended",
    "DayBegan",
    "EndState",
    "Ended",
    "Filled",
    "Head",
    "Intended",
    "Record",
    "Refused",
    "Resolved",
    "Resumed",
    "Started",
    "StateSaved",
    "Stopped",
    "Unknown",
    "check_head",
    "decode",
    "encode",
]

VERSION: Final = 1

EndState = Literal["filled", "canceled", "expired"]
_ACCEPT: Final = "Look at what has changed, then start with --accept-config"


class _Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """What all records have.

    Args:
        time_ns: when it was written, by our clock.
    """

    time_ns: int


class Head(_Record, frozen=True, kw_only=True, tag="head"):
    """The first record: whose journal it is.

    Args:
        account: the fingerprint of the API key: sha256 of it, which names nobody.
        strategy: its name.
        prefix: of every order id of this journal; no other journal has it.
    """

    account: str
    strategy: str
    prefix: str
    version: int = VERSION


class Started(_Record, frozen=True, kw_only=True, tag="start"):
    """The bot was started.

    Args:
        build: the version of krakenwire.
        config: the hash of strategy, parameters and limits.
    """

    build: str
    config: str


class Intended(_Record, frozen=True, kw_only=True, tag="intent"):
    """An order is about to leave.

    Args:
        deadline_ns: after it the venue lets it not match any more.
    """

    intent: Intent
    deadline_ns: int


class Ack(_Record, frozen=True, kw_only=True, tag="ack"):
    """The venue has taken an order in, under that id."""

    id: str
    order_id: str


class Refused(_Record, frozen=True, kw_only=True, tag="refused"):
    """The venue has refused an order, or it was never sent."""

    id: str
    reason: str


class Unknown(_Record, frozen=True, kw_only=True, tag="unknown"):
    """Nobody knows what became of an order."""

    id: str
    reason: str


class Absent(_Record, frozen=True, kw_only=True, tag="absent"):
    """Nothing that was asked knows an order, though its deadline and the lag of the answers are over."""

    id: str


class Resolved(_Record, frozen=True, kw_only=True, tag="resolved"):
    """It is known what became of an order.

    Args:
        accepted: else it never was at the venue.
        evidence: what says so.
        order_id: the venue's id.
    """

    id: str
    accepted: bool
    evidence: str
    order_id: str = ""


class AmendIntended(_Record, frozen=True, kw_only=True, tag="amend"):
    """An amendment is about to leave; None leaves a value. `number` counts the amendments of an order from 1."""

    id: str
    number: int
    limit: Decimal | None = None
    qty: Decimal | None = None


class AmendEnded(_Record, frozen=True, kw_only=True, tag="amend_end"):
    """What became of an amendment, as the answer or the order itself says."""

    id: str
    number: int
    outcome: Literal["accepted", "refused", "unknown"]
    reason: str = ""


class CancelIntended(_Record, frozen=True, kw_only=True, tag="cancel"):
    """An order is to end. What becomes of that, its own end tells."""

    id: str


class Filled(_Record, frozen=True, kw_only=True, tag="fill"):
    """A fill; it is applied once, by its `exec_id`.

    Args:
        fees: on top, by asset.
        traded_ns: when it traded, by the venue's clock.
    """

    id: str
    exec_id: str
    order_id: str
    symbol: str
    side: OrderSide
    price: Decimal
    qty: Decimal
    cost: Decimal
    traded_ns: int
    fees: dict[str, Decimal] = {}
    maker: bool | None = None


class Ended(_Record, frozen=True, kw_only=True, tag="end"):
    """An order has ended, and its fills up to there are all written."""

    id: str
    state: EndState
    filled: Decimal
    reason: str = ""


class StateSaved(_Record, frozen=True, kw_only=True, tag="state"):
    """What the strategy wants to know again: JSON values."""

    state: dict[str, object]


class Stopped(_Record, frozen=True, kw_only=True, tag="stop"):
    """The bot was stopped, until a person lifts it."""

    level: StopLevel
    reason: str
    who: str


class Resumed(_Record, frozen=True, kw_only=True, tag="resume"):
    """A person has lifted every stop."""

    who: str


class DayBegan(_Record, frozen=True, kw_only=True, tag="day"):
    """The equity that a day's loss counts from, and the highest so far."""

    equity: Decimal
    peak: Decimal


class Baseline(_Record, frozen=True, kw_only=True, tag="baseline"):
    """What the account had when it was last looked at and found right: fills since then explain what it has now."""

    balances: dict[str, Decimal]


Record: TypeAlias = (
    Head
    | Started
    | Intended
    | Ack
    | Refused
    | Unknown
    | Absent
    | Resolved
    | AmendIntended
    | AmendEnded
    | CancelIntended
    | Filled
    | Ended
    | StateSaved
    | Stopped
    | Resumed
    | DayBegan
    | Baseline
)

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final[msgspec.json.Decoder[Record]] = msgspec.json.Decoder(Record)


def encode(record: Record) -> bytes:
    """Return a record as it stands in the journal."""
    return _ENCODER.encode(record)


def decode(data: bytes, where: str) -> Record:
    """Return a record of the journal `where`.

    Raises:
        JournalDamaged: it is none, or none of this version.
    """
    try:
        return _DECODER.decode(data)
    except msgspec.DecodeError as error:
        raise JournalDamaged(where, f"a record that this version cannot read ({error})", 0) from error


def check_head(head: Head, started: Started | None, wanted: Head, now: Started, where: str, *, accept: bool) -> None:
    """Refuse a journal that belongs to something else.

    Args:
        head: its own.
        started: its last start, None when there was none.
        wanted: what would be written today.
        now: the start that is wanted.
        where: the folder.
        accept: a person has said that a change of build or configuration is meant.

    Raises:
        JournalError: another account, another strategy, or another version.
        ConfigError: build or configuration are not those of the last start, and nobody has said that this is meant.
    """
    for what, found, expected in (
        ("version", str(head.version), str(wanted.version)),
        ("account", head.account, wanted.account),
        ("strategy", head.strategy, wanted.strategy),
    ):
        if found != expected:
            reason = f"this journal belongs to another {what}: {found[:16]}, not {expected[:16]}"
            raise JournalError(where, reason, hint="Give this bot a folder of its own, or the key it was begun with")
    if started is None or accept:
        return
    for what, found, expected in (("build", started.build, now.build), ("configuration", started.config, now.config)):
        if found != expected:
            raise ConfigError(f"{where}: the {what}", expected=found[:16], found=expected[:16], hint=_ACCEPT)
