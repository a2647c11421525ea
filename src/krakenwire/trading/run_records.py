"""What is told of a run of a bot, row by row: the source of the report, of Parquet, and of the comparison of two runs.

Every world writes the same rows. Amounts are `Decimal`, times nanoseconds
since 1970 UTC by the run's own clock. Whoever writes them decides how often;
nothing here sums or draws.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from krakenwire.model.market import OrderSide

__all__ = ["DecisionRow", "EquityRow", "FillRow", "Mode", "NoteRow", "OrderRow", "RunHead", "RunRow", "rule_of"]

Mode = Literal["backtest", "replay", "paper", "live"]


class RunHead(msgspec.Struct, frozen=True, kw_only=True, tag="head"):
    """The first row of a run.

    Args:
        run: its name, unique in its folder.
        source: where the market came from: a tape's folder, a file, an address.
        parameters: the strategy's, as JSON values.
        quote: the asset that equity is counted in.
        balances: by asset, as it began.
        model: the fill model, as JSON values; empty in live.
        limits: the risk limits, as JSON values.
        candle_s: how often equity is sampled, seconds.
    """

    run: str
    strategy: str
    mode: Mode
    source: str
    symbols: tuple[str, ...]
    start_ns: int
    version: str
    quote: str = "USD"
    parameters: dict[str, object] = {}
    balances: dict[str, Decimal] = {}
    model: dict[str, object] = {}
    limits: dict[str, object] = {}
    candle_s: float = 1.0


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True, tag="decision", omit_defaults=True):
    """What the strategy asked for, before anything judged it.

    Args:
        id: of the order.
        qty: base units; None for a cancel.
        limit: quote units, None for the market.
        mid: of the book then, None where there was none.
    """

    time_ns: int
    action: Literal["buy", "sell", "amend", "cancel"]
    symbol: str
    id: str
    qty: Decimal | None = None
    limit: Decimal | None = None
    mid: Decimal | None = None
    tag: str = ""


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, tag="order", omit_defaults=True):
    """A change of an order's state.

    Args:
        state: ``intent``, ``sent``, ``open``, ``partly_filled``, ``filled``, ``canceled``, ``expired``,
            ``refused`` or ``unknown``.
        reason: of the venue, of a risk limit, or of ours.
        decided_ns: when the strategy asked, which latency is counted from.
    """

    time_ns: int
    id: str
    symbol: str
    side: OrderSide
    order_type: str
    state: str
    qty: Decimal
    filled: Decimal
    limit: Decimal | None = None
    reason: str = ""
    decided_ns: int = 0
    tag: str = ""


class FillRow(msgspec.Struct, frozen=True, kw_only=True, tag="fill", omit_defaults=True):
    """One fill.

    Args:
        exec_id: unique; a fill is applied once.
        fee: in the quote asset.
        mid: of the book when it was decided, for slippage; None where there was none.
        position: of the base asset after it.
    """

    time_ns: int
    exec_id: str
    id: str
    symbol: str
    side: OrderSide
    price: Decimal
    qty: Decimal
    fee: Decimal
    maker: bool
    mid: Decimal | None = None
    position: Decimal = Decimal(0)
    decided_ns: int = 0
    tag: str = ""


class EquityRow(msgspec.Struct, frozen=True, kw_only=True, tag="equity"):
    """Where the account stands.

    Args:
        equity: everything at mid prices, in the quote asset.
        cash: of the quote asset, held or not.
        positions: base units by symbol.
        mids: by symbol; a symbol without a price is missing.
    """

    time_ns: int
    equity: Decimal
    cash: Decimal
    positions: dict[str, Decimal]
    mids: dict[str, Decimal]


class NoteRow(msgspec.Struct, frozen=True, kw_only=True, tag="note", omit_defaults=True):
    """Something a reader of the run should know.

    Args:
        kind: ``gap``, ``resynced``, ``slow``, ``conflated``, ``dropped``, ``overdrawn``, ``made up``, ``risk``,
            ``error``, ``log``, ``stop``, ``resume``, ``start``, ``end``, ``recovery``, ``reconcile``, ``drift``.
        count: how many it stands for.
        rule: of the limit that refused, for kind ``risk``.
    """

    time_ns: int
    kind: str
    text: str
    symbol: str = ""
    id: str = ""
    count: int = 1
    rule: str = ""


RunRow: TypeAlias = RunHead | DecisionRow | OrderRow | FillRow | EquityRow | NoteRow


def rule_of(reason: str) -> str:
    """Return what a refusal was for, without its figures: the text up to the first colon.

    Args:
        reason: of an order that was refused, or the text of a `risk` note.
    """
    return reason.partition(":")[0].removeprefix("refused by ").strip() or "no reason given"
