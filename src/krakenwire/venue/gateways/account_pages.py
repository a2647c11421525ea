"""What an account has had, page by page: which orders, fills and entries a REST call asks for.

Newest first, fifty a page; a page beyond the last is empty. Source: v2
reference, section 11, and what clients read (``ofs``, ``start``, ``end``, ``count``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final, TypeVar

from krakenwire.protocol.flat_values import number, userref, whole
from krakenwire.venue.trading import Account, AccountOrder, Fill, LedgerEntry

__all__ = ["PAGE", "closed_orders", "entries", "fills", "open_orders", "page"]

PAGE: Final = 50
_SECOND: Final = 1_000_000_000
_RowT = TypeVar("_RowT")

Params = Mapping[str, str]


def page(rows: list[_RowT], params: Params) -> list[_RowT]:
    """Return the rows of the page that starts behind the first ``ofs``."""
    start = max(0, whole(params, "ofs") or 0)
    return rows[start : start + PAGE]


def open_orders(account: Account, params: Params) -> list[AccountOrder]:
    """Return the open orders, newest first."""
    return [order for order in reversed(account.open_orders.values()) if _named(order, params)]


def closed_orders(account: Account, params: Params) -> list[AccountOrder]:
    """Return the orders that have ended in some time (``closetime`` says which of their times counts)."""
    kind = params.get("closetime", "both")
    inside = _window(account, params)

    def meant(order: AccountOrder) -> bool:
        opened = kind in ("open", "both") and inside(order.opened_ns)
        return (opened or (kind in ("close", "both") and inside(order.closed_ns))) and _named(order, params)

    return [order for order in reversed(account.closed_orders) if meant(order)]


def fills(account: Account, params: Params) -> list[Fill]:
    """Return the fills of some time."""
    inside = _window(account, params)
    return [fill for fill in reversed(account.fills) if inside(fill.time_ns)]


def entries(account: Account, params: Params, assets: Iterable[str] | None) -> list[LedgerEntry]:
    """Return the ledger entries of some time, of some assets (all without), and of a kind (``type``)."""
    inside, kind = _window(account, params), params.get("type", "all")
    wanted = None if assets is None else set(assets)
    return [
        entry
        for entry in reversed(account.entries)
        if inside(entry.time_ns) and (kind in ("all", entry.kind)) and (wanted is None or entry.asset in wanted)
    ]


def _named(order: AccountOrder, params: Params) -> bool:
    """Whether an order has the ids that were asked for, if any were."""
    wanted, own = userref(params), params.get("cl_ord_id")
    return (wanted is None or order.userref == wanted) and (own is None or order.cl_ord_id == own)


def _window(account: Account, params: Params) -> Callable[[int], bool]:
    """Which times count: after ``start``, up to ``end``; both in seconds, or the id of an order."""
    start, end = (_time_ns(account, params, name) for name in ("start", "end"))
    return lambda time_ns: (start is None or time_ns > start) and (end is None or time_ns <= end)


def _time_ns(account: Account, params: Params, name: str) -> int | None:
    order = account.orders_seen.get(params.get(name, ""))
    if order is not None:
        return order.opened_ns
    seconds: Decimal | None = number(params, name)
    return None if seconds is None else int(seconds * _SECOND)
