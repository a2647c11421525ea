"""How a live bot starts, which is the only way there is: as if it had crashed before.

    lock ─▶ recover ─▶ connect ─▶ arm ─▶ snapshot ─▶ reconcile ─▶ audit ─▶ trade

The folder is locked and its journal recovered when it is opened
(`krakenwire.storage.bot_folder`); the client is connected when it is entered.
Orders are let through only at the end, and not at all while a stop stands.
What a person asks of a running bot by files is carried out here, too.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Final, Literal, TypeVar

import msgspec

from krakenwire.apps.live_broker import LiveBroker
from krakenwire.errors import JournalError
from krakenwire.storage.bot_folder import Amendable, BotFolder, Request
from krakenwire.trading import records
from krakenwire.trading.reconcile import Difference, audit
from krakenwire.trading.stops import StopLevel
from krakenwire.version import VERSION

__all__ = ["Identity", "Phase", "audit_now", "carry_out", "claim", "config_hash", "fingerprint", "start"]

Phase = Literal["recover", "arm", "snapshot", "reconcile", "audit", "trade", "stopped"]

_OrderT = TypeVar("_OrderT", bound=Amendable)
_PREFIX_BYTES: Final = 4
_AUDITS: Final = 3


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Whose bot it is.

    Args:
        account: see `fingerprint`.
        strategy: its name.
        config: see `config_hash`.
    """

    account: str
    strategy: str
    config: str


def fingerprint(api_key: str) -> str:
    """Return what tells accounts apart and names nobody."""
    return sha256(api_key.encode()).hexdigest()


def config_hash(config: object) -> str:
    """Return a hash of strategy source, parameters and limits, as JSON values."""
    return sha256(msgspec.json.encode(config, order="deterministic")).hexdigest()


def claim(folder: BotFolder, identity: Identity, *, accept_config: bool = False) -> None:
    """Make sure that a folder is this bot's, or make it so where it is new; and write down that it starts.

    What an earlier life has written down and nobody has answered is unknown from here on.

    Raises:
        JournalError: it is that of another account or another strategy.
        ConfigError: build or configuration have changed, and nobody has said that this is meant.
    """
    journal, now_ns = folder.journal, folder.journal.now_ns()
    known = journal.known
    prefix = base64.b32encode(secrets.token_bytes(_PREFIX_BYTES)).decode().rstrip("=").lower() + "-"
    head = records.Head(time_ns=now_ns, account=identity.account, strategy=identity.strategy, prefix=prefix)
    started = records.Started(time_ns=now_ns, build=VERSION, config=identity.config)
    if known.head is None:
        journal.append(head)
    else:
        records.check_head(known.head, known.started, head, started, str(folder.path), accept=accept_config)
    lost = [
        records.Unknown(time_ns=now_ns, id=order.id, reason="the bot ended before its answer")
        for order in known.unresolved
        if order.step == "intent"
    ]
    journal.append(started, *lost)


async def start(
    folder: BotFolder,
    broker: LiveBroker[_OrderT],
    *,
    allowed: Mapping[str, Decimal] | None = None,
    told: Callable[[Phase, str], object] | None = None,
    rounded: Callable[[str, Decimal], Decimal] | None = None,
) -> None:
    """Bring a broker to where orders may pass, or to the stop that stands.

    Args:
        folder: claimed.
        broker: of this folder's journal, on an entered client.
        allowed: by how much the balance of an asset may differ at the audit.
        told: called with each phase and what came of it.
        rounded: cuts a quantity to what may be ordered of a symbol.

    Raises:
        KrakenwireError: it cannot be done; no order was let through. What is armed by then runs out.
    """
    known = folder.journal.known

    def say(phase: Phase, text: str) -> None:
        if told is not None:
            told(phase, text)

    say("recover", f"{len(known.orders)} orders, {len(known.open)} of them live, {len(known.unresolved)} unknown")
    await broker.arm()
    say("arm", "the dead man's switch is armed")
    await broker.follow()
    say("snapshot", "the account is followed")
    await broker.reconcile()
    others = len(broker.book.foreign)
    say("reconcile", f"{len(known.open)} live, {len(known.unresolved)} unknown; {others} of others")
    for request in folder.requests():
        await carry_out(folder, broker, request, rounded)
    differences = await audit_now(broker, allowed)
    say("audit", "balances are as expected" if not differences else _told(differences))
    broker.trading = True
    await broker.enforce()
    stop = known.stops.stop
    if stop is None:
        say("trade", "orders pass")
    else:
        say("stopped", f"{stop.level.name} by {stop.who}: {stop.reason}")


async def audit_now(
    broker: LiveBroker[_OrderT], allowed: Mapping[str, Decimal] | None = None
) -> tuple[Difference, ...]:
    """Compare the account's balances with what the bot's own fills explain; a difference that stays stops new orders.

    The first audit only writes down where the account begins, and so does one that finds no more than what the venue
    has cut off. An order that nobody knows of may be the difference: then nothing is said.
    """
    journal = broker.journal
    differences: tuple[Difference, ...] = ()
    for attempt in range(_AUDITS):
        if attempt:
            await asyncio.sleep(broker.settings.patience.again_s / _AUDITS)
        balances, settled = await _settled_balances(broker)
        if not settled:
            continue
        if journal.known.baseline is None:
            journal.append(records.Baseline(time_ns=journal.now_ns(), balances=balances))
            return ()
        differences = audit(journal.known, balances, allowed)
        if not differences:
            return ()
        cuts = {**(await _cuts(broker)), **(allowed or {})}
        if not audit(journal.known, balances, cuts):
            journal.append(records.Baseline(time_ns=journal.now_ns(), balances=balances))
            return ()
    if differences and not journal.known.unresolved:
        await broker.stop(StopLevel.NO_ORDERS, _told(differences))
    return differences


async def _cuts(broker: LiveBroker[_OrderT]) -> dict[str, Decimal]:
    """Return what the bot's fills may be off by: a cost is told with more decimals than an account is kept in.

    Each posting is cut by less than one unit of the last decimal that REST shows of a balance.
    """
    shown = await broker.client.ask_rest(lambda rest: dict(rest.balances()))
    fills = broker.journal.known.fills_since
    exponents = ((asset, amount.as_tuple().exponent) for asset, amount in shown.items())
    return {asset: fills * Decimal(1).scaleb(exp) for asset, exp in exponents if isinstance(exp, int)}


async def _settled_balances(broker: LiveBroker[_OrderT]) -> tuple[dict[str, Decimal], bool]:
    """Return the balances, and whether nothing traded while they were asked for."""
    before = len(broker.journal.known.exec_ids)
    balances = await broker.client.balances()
    await broker.reconcile()
    return balances, before == len(broker.journal.known.exec_ids)


def _told(differences: tuple[Difference, ...]) -> str:
    parts = (f"{asset} {found:f}, expected {expected:f}" for asset, expected, found in differences)
    return "balances differ from what the bot's fills explain: " + "; ".join(parts)


async def carry_out(
    folder: BotFolder,
    broker: LiveBroker[_OrderT],
    request: Request,
    rounded: Callable[[str, Decimal], Decimal] | None = None,
) -> None:
    """Do what another terminal asks; its file goes when what it asks for stands in the journal.

    A resume takes what the account has now as right.
    """
    if request.kind == "stop":
        await broker.stop(request.level, request.reason, request.who)
    elif request.kind == "flatten":
        await broker.flatten(request.reason, request.who, rounded)
    else:
        broker.resume(request.who)
        balances, settled = await _settled_balances(broker)
        if not settled:
            raise JournalError(str(folder.path), "orders trade while the bot is being resumed", hint="Try again")
        folder.journal.append(records.Baseline(time_ns=folder.journal.now_ns(), balances=balances))
    folder.done(request)
