"""How a bot stands and what happens to it, as lines: for a person, and as JSON for a program.

Everything here is made of the values of `trading.run_status` and
`trading.run_records`. Lines for a person round money for reading; JSON has
every digit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec

from krakenwire.cli.render import fixed, summary
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.trading.run_records import DecisionRow, EquityRow, FillRow, NoteRow, OrderRow, RunHead, RunRow
from krakenwire.trading.run_status import FeedHealth, OpenOrder, RecentFill, RiskUse, RunStatus

__all__ = ["age", "clock", "lost_json", "money", "row_json", "row_line", "signed", "span", "status_lines"]

_SECOND: Final = 1_000_000_000
_MINUTE_S: Final = 60
_LABEL: Final = 10
_CENTS: Final = Decimal("0.01")
_SMALL: Final = Decimal("0.00000001")


# -- words ----------------------------------------------------------------------


def money(value: Decimal | None) -> str:
    """Return an amount for reading: cents, or eight decimals of what is below one."""
    if value is None:
        return "-"
    rounded = value.quantize(_CENTS if abs(value) >= 1 or not value else _SMALL)
    return f"{rounded:,f}"


def signed(value: Decimal | None) -> str:
    """Return a gain or a loss for reading, with its sign."""
    return money(value) if value is None or value <= 0 else "+" + money(value)


def span(length_ns: int) -> str:
    """Return a length of time such as ``3:07:12`` or ``2d 03:07:12``."""
    minutes, seconds = divmod(max(0, length_ns) // _SECOND, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02d}:{minutes:02d}:{seconds:02d}" if days else f"{hours}:{minutes:02d}:{seconds:02d}"


def age(age_ns: int | None) -> str:
    """Return how old something is: tenths of seconds up to a minute, then as `span`."""
    if age_ns is None:
        return "-"
    seconds = age_ns / _SECOND
    return f"{seconds:.1f}s" if seconds < _MINUTE_S else span(age_ns)


def clock(time_ns: int) -> str:
    """Return the time of day, UTC."""
    return rfc3339_from_ns(time_ns, 0)[11:19]


# -- a status -------------------------------------------------------------------


def status_lines(status: RunStatus) -> list[str]:
    """Return how a bot stands, as lines for a person."""
    head = f"{status.strategy}, {status.mode}, on {status.source}: {status.state}"
    return [head, *(f"  {label:{_LABEL}}{text}" for label, text in _facts(status))]


def _facts(status: RunStatus) -> Iterator[tuple[str, str]]:
    yield "run", f"{status.run}, for {span(status.time_ns - status.started_ns)}"
    yield "as of", rfc3339_from_ns(status.time_ns, 0)
    yield "stop", status.stop or "none: orders may leave"
    yield "alarm", status.alarm or "none"
    yield "equity", _equity(status)
    yield "cash", f"{money(status.cash)} {status.quote}"
    yield from _each("balance", [f"{asset} {fixed(amount)}" for asset, amount in status.balances.items()])
    yield from _each("position", [f"{symbol} {fixed(qty)}" for symbol, qty in status.positions.items()])
    yield from _each("order", [_open_order(order) for order in status.orders])
    yield from _each("fill", [_recent_fill(fill) for fill in status.fills])
    yield from _each("feed", [_feed(feed) for feed in status.feeds])
    yield from _each("risk", [_risk(use) for use in status.risk])
    yield "counted", _counted(status)
    yield from _each("note", list(status.notes), nothing="")


def _each(label: str, texts: list[str], nothing: str = "none") -> Iterator[tuple[str, str]]:
    for place, text in enumerate(texts or [nothing] * bool(nothing)):
        yield label if not place else "", text


def _equity(status: RunStatus) -> str:
    day, profit = signed(status.day_profit), signed(status.profit)
    return f"{money(status.equity)} {status.quote}, today {day}, since the start {profit}"


def _open_order(order: OpenOrder) -> str:
    tag = f" [{order.tag}]" if order.tag else ""
    price = "at the market" if order.limit is None else f"at {fixed(order.limit)}"
    return (
        f"{order.id} {order.side} {fixed(order.qty)} {order.symbol} {price}: {order.state}, "
        f"{fixed(order.filled)} filled{tag}"
    )


def _recent_fill(fill: RecentFill) -> str:
    kind = "maker" if fill.maker else "taker"
    return (
        f"{clock(fill.time_ns)} {fill.side} {fixed(fill.qty)} {fill.symbol} at {fixed(fill.price)}, "
        f"{kind}, fee {money(fill.fee)}"
    )


def _feed(feed: FeedHealth) -> str:
    state = "live" if feed.live else "not to be trusted"
    return (
        f"{feed.symbol} {state}, heard {age(feed.age_ns)} ago, bid {fixed(feed.bid)}, ask {fixed(feed.ask)}, "
        f"{feed.gaps:,} gaps, {feed.conflated:,} conflated"
    )


def _risk(use: RiskUse) -> str:
    share = f"{use.used / use.limit:.0%}" if use.limit else "-"
    return f"{use.rule} {share}: {money(use.used)} of {money(use.limit)}"


def _counted(status: RunStatus) -> str:
    kinds = {
        "frames": status.frames,
        "verified": status.verified,
        "failed": status.failed,
        "orders sent": status.orders_sent,
        "refused by limits": status.refused,
        "fills": status.fills_total,
        "conflated": status.conflated,
        "dropped": status.dropped,
        "waiting": status.backlog,
        "slow calls": status.slow,
    }
    latency = "" if status.latency_us is None else f", event to order {status.latency_us:,.0f} us"
    return (summary(kinds) or "nothing yet") + f", fees {money(status.fees)} {status.quote}{latency}"


# -- rows of a run, for a person ------------------------------------------------


def row_line(row: RunRow) -> str | None:
    """Return one row as a line for a person; None for what only a program asks for."""
    make = _LINES.get(type(row))
    return None if make is None else make(row)


def _order_line(row: OrderRow) -> str | None:
    if row.state == "intent":
        return None
    price = "at the market" if row.limit is None else f"at {fixed(row.limit)}"
    because = f": {row.reason}" if row.reason else ""
    return f"{clock(row.time_ns)}  {row.state:<13}{row.id}  {row.side} {fixed(row.qty)} {row.symbol} {price}{because}"


def _fill_line(row: FillRow) -> str:
    kind = "maker" if row.maker else "taker"
    return (
        f"{clock(row.time_ns)}  FILL         {row.id}  {row.side} {fixed(row.qty)} {row.symbol} at {fixed(row.price)}"
        f", {kind}, fee {money(row.fee)}, position {fixed(row.position)}"
    )


def _note_line(row: NoteRow) -> str:
    about = f"{row.symbol}: " if row.symbol else ""
    return f"{clock(row.time_ns)}  {row.kind:<13}{about}{row.text}"


_LINES: Final[dict[type, Callable[[Any], str | None]]] = {
    OrderRow: _order_line,
    FillRow: _fill_line,
    NoteRow: _note_line,
}


# -- rows of a run, for a program -----------------------------------------------

_KINDS: Final[dict[type[msgspec.Struct], str]] = {
    RunHead: "head",
    DecisionRow: "decision",
    OrderRow: "order",
    FillRow: "fill",
    EquityRow: "equity",
    NoteRow: "note",
}
_OTHER_NAMES: Final = {"kind": "note"}
"""A note's own kind, beside the kind of the row."""

_MEMBERS: Final = {
    kind: tuple((_OTHER_NAMES.get(name, name), name) for name in kind.__struct_fields__ if name != "time_ns")
    for kind in _KINDS
}
_encode: Final = msgspec.json.Encoder(decimal_format="string").encode


def row_json(row: RunRow) -> str:
    """Return one row as a line of JSON: its kind, its time twice, then its members, always all and in one order.

    Amounts are texts with every digit and no exponent.
    """
    time_ns = row.start_ns if isinstance(row, RunHead) else row.time_ns
    told: dict[str, object] = {"kind": _KINDS[type(row)], "time": rfc3339_from_ns(time_ns, 9), "time_ns": time_ns}
    for name, field in _MEMBERS[type(row)]:
        told[name] = _exact(getattr(row, field))
    return _encode(told).decode()


def lost_json(count: int) -> str:
    """Return the line that stands for rows which nobody read in time."""
    return _encode({"kind": "lost", "count": count}).decode()


def _exact(value: object) -> object:
    if isinstance(value, Decimal):
        return fixed(value)
    if isinstance(value, dict):
        return {name: _exact(item) for name, item in value.items()}
    return value
