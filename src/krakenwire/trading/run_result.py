"""The rows of a run, kept as they come, and the sums of a whole run.

Keeping is cheap, because a strategy waits for it: what a row is made of is
kept, the row itself is made when somebody reads it. Sums only: ratios that
need a choice are the report's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, Literal

from krakenwire.errors import KrakenwireError
from krakenwire.trading.orders import Fill, Order
from krakenwire.trading.portfolio import EXACT
from krakenwire.trading.run_records import DecisionRow, EquityRow, FillRow, NoteRow, OrderRow, RunHead, RunRow, rule_of

__all__ = ["RunLog", "RunResult"]

_ZERO: Final = Decimal(0)
_SHARE: Final = Decimal("0.00000001")

Action = Literal["buy", "sell", "amend", "cancel"]


class RunLog:
    """Keeps rows in the order things happened."""

    def __init__(self) -> None:
        self._kept: list[tuple[Any, ...]] = []
        self._told = 0

    def __len__(self) -> int:
        return len(self._kept)

    def decision(
        self, now_ns: int, action: Action, order: Order, qty: Decimal | None, limit: Decimal | None, mid: Decimal | None
    ) -> None:
        """The strategy asked for something."""
        self._kept.append((_decision, now_ns, action, order, qty, limit, mid))

    def order(self, now_ns: int, order: Order) -> None:
        """An order's state has changed."""
        self._kept.append(
            (_order, now_ns, order, order.state, order.qty, order.filled, order.limit, order.reason, order.decided_ns)
        )

    def fill(self, fill: Fill) -> None:
        """An order was filled, in part at least."""
        self._kept.append((_fill, fill, fill.order.mid, fill.order.decided_ns))

    def equity(
        self,
        now_ns: int,
        equity: Decimal,
        cash: Decimal,
        positions: Mapping[str, Decimal],
        symbols: Sequence[str],
        mids: Sequence[Decimal | None],
    ) -> None:
        """Where the account stands, with the mid of each symbol; the arguments stay as they are from now on."""
        self._kept.append((_equity, now_ns, equity, cash, positions, symbols, mids))

    def note(
        self,
        now_ns: int,
        kind: str,
        text: str,
        symbol: str = "",
        order_id: str = "",
        count: int = 1,
        rule: str = "",
    ) -> None:
        """Something a reader of the run should know."""
        self._kept.append((_note, now_ns, kind, text, symbol, order_id, count, rule))

    def rows(self) -> Iterator[RunRow]:
        """Yield all rows that are kept."""
        for make, *parts in self._kept:
            yield make(*parts)

    def new_rows(self) -> list[RunRow]:
        """Return the rows that came since the last call; they stay among all rows."""
        first, self._told = self._told, len(self._kept)
        return [make(*parts) for make, *parts in self._kept[first:]]


class RunResult:
    """One run, whole. Its rows lie there by kind, too: it can be reported on as it is.

    Args:
        head: what it was.
        log: everything that happened.
        error: the first error of the strategy, or what broke the run; None when there was none.
        open_orders: at the end.
    """

    def __init__(
        self, head: RunHead, log: RunLog, *, error: KrakenwireError | None = None, open_orders: int = 0
    ) -> None:
        self.head, self._log, self.error, self.open_orders = head, log, error, open_orders

    @cached_property
    def rows(self) -> list[RunRow]:
        """Everything that happened, in its order. Rows are made when they are first read."""
        return list(self._log.rows())

    @cached_property
    def decisions(self) -> list[DecisionRow]:
        """What the strategy asked for."""
        return [row for row in self.rows if type(row) is DecisionRow]

    @cached_property
    def orders(self) -> list[OrderRow]:
        """How orders changed."""
        return [row for row in self.rows if type(row) is OrderRow]

    @cached_property
    def fills(self) -> list[FillRow]:
        """The fills."""
        return [row for row in self.rows if type(row) is FillRow]

    @cached_property
    def equity(self) -> list[EquityRow]:
        """Where the account stood."""
        return [row for row in self.rows if type(row) is EquityRow]

    @cached_property
    def notes(self) -> list[NoteRow]:
        """What a reader should know."""
        return [row for row in self.rows if type(row) is NoteRow]

    def all_rows(self) -> list[RunRow]:
        """Return the head, then the rows."""
        return [self.head, *self.rows]

    def summary(self) -> dict[str, Any]:
        """Return the sums of the run; amounts in its quote asset where nothing else is said.

        `return` is a share of the first equity, `maker_share` of the turnover
        in its quote asset, both cut to eight decimals, `max_drawdown` the deepest fall below a peak
        that was sampled. `fees` and `turnover` are by the quote asset of each symbol
        where another than the run's is among them. `refusals` are orders and amendments that a
        limit of ours kept from being sent, by its name.
        """
        equities, fills, quote = self.equity, self.fills, self.head.quote
        first = equities[0].equity if equities else _ZERO
        last = equities[-1].equity if equities else _ZERO
        fees, turnover = _by_quote(fills, _fee), _by_quote(fills, _cost)
        makers = _by_quote([fill for fill in fills if fill.maker], _cost)
        orders = list({row.id: row.state for row in self.orders}.values())
        return {
            "run": self.head.run,
            "strategy": self.head.strategy,
            "mode": self.head.mode,
            "source": self.head.source,
            "symbols": list(self.head.symbols),
            "parameters": self.head.parameters,
            "quote": self.head.quote,
            "start_ns": self.head.start_ns,
            "end_ns": equities[-1].time_ns if equities else self.head.start_ns,
            "equity_start": first,
            "equity": last,
            "net_profit": last - first,
            "return": _share(last - first, first),
            "fees": _amount(fees, quote),
            "turnover": _amount(turnover, quote),
            "maker_share": _share(makers.get(quote, _ZERO), turnover.get(quote, _ZERO)),
            "max_drawdown": _drawdown([row.equity for row in equities]),
            "decisions": len(self.decisions),
            "orders": len(orders),
            "orders_by_state": {state: orders.count(state) for state in dict.fromkeys(sorted(orders))},
            "open_orders": self.open_orders,
            "refusals": _refusals(self.notes),
            "fills": len(fills),
            "positions": equities[-1].positions if equities else {},
            "notes": _notes(self.notes),
            "stopped": next((note.text for note in self.notes if note.kind == "stop"), ""),
            "error": None if self.error is None else str(self.error),
        }


# -- rows -----------------------------------------------------------------------


def _decision(
    now_ns: int, action: Action, order: Order, qty: Decimal | None, limit: Decimal | None, mid: Decimal | None
) -> DecisionRow:
    return DecisionRow(
        time_ns=now_ns, action=action, symbol=order.symbol, id=order.id, qty=qty, limit=limit, mid=mid, tag=order.tag
    )


def _order(
    now_ns: int,
    order: Order,
    state: str,
    qty: Decimal,
    filled: Decimal,
    limit: Decimal | None,
    reason: str,
    decided_ns: int,
) -> OrderRow:
    return OrderRow(
        time_ns=now_ns,
        id=order.id,
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        state=state,
        qty=qty,
        filled=filled,
        limit=limit,
        reason=reason,
        decided_ns=decided_ns,
        tag=order.tag,
    )


def _fill(fill: Fill, mid: Decimal | None, decided_ns: int) -> FillRow:
    return FillRow(
        time_ns=fill.time_ns,
        exec_id=fill.exec_id,
        id=fill.order.id,
        symbol=fill.symbol,
        side=fill.side,
        price=fill.price,
        qty=fill.qty,
        fee=fill.fee,
        maker=fill.maker,
        mid=mid,
        position=fill.position,
        decided_ns=decided_ns,
        tag=fill.order.tag,
    )


def _equity(
    now_ns: int,
    equity: Decimal,
    cash: Decimal,
    positions: Mapping[str, Decimal],
    symbols: Sequence[str],
    mids: Sequence[Decimal | None],
) -> EquityRow:
    known = {symbol: mid for symbol, mid in zip(symbols, mids, strict=True) if mid is not None}
    return EquityRow(time_ns=now_ns, equity=equity, cash=cash, positions=dict(positions), mids=known)


def _note(now_ns: int, kind: str, text: str, symbol: str, order_id: str, count: int, rule: str) -> NoteRow:
    return NoteRow(time_ns=now_ns, kind=kind, text=text, symbol=symbol, id=order_id, count=count, rule=rule)


# -- sums -----------------------------------------------------------------------


def _cost(fill: FillRow) -> Decimal:
    return EXACT.multiply(fill.price, fill.qty)


def _fee(fill: FillRow) -> Decimal:
    return fill.fee


def _by_quote(fills: list[FillRow], of: Callable[[FillRow], Decimal]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for fill in fills:
        quote = fill.symbol.partition("/")[2]
        sums[quote] = EXACT.add(sums.get(quote, _ZERO), of(fill))
    return sums


def _amount(sums: dict[str, Decimal], quote: str) -> Decimal | dict[str, Decimal]:
    """Return a sum in the run's quote asset, or all sums by asset where there is any other."""
    return sums if sums.keys() - {quote} else sums.get(quote, _ZERO)


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part / whole).quantize(_SHARE) if whole else None


def _drawdown(equities: list[Decimal]) -> Decimal:
    peak = deepest = _ZERO
    for equity in equities:
        peak = max(peak, equity)
        deepest = max(deepest, peak - equity)
    return deepest


def _notes(notes: list[NoteRow]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for note in notes:
        counts[note.kind] = counts.get(note.kind, 0) + note.count
    return counts


def _refusals(notes: list[NoteRow]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for note in notes:
        if note.kind == "risk":
            counts[rule_of(note.text)] += note.count
    return dict(counts.most_common())
