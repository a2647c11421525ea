"""What an account has had, page by page: which orders, fills and entries a REST call asks for.

Newest first, fifty a page; a page beyond the last is empty. A page costs no more
when the history is long, except where rows are chosen by more than their time. Source: v2
reference, section 11, and what clients read (``ofs``, ``start``, ``end``, ``count``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final, Protocol, TypeVar

from krakenwire.protocol.flat_values import number, userref, whole
from krakenwire.venue.trading import Account, AccountOrder, Fill, LedgerEntry

__all__ = ["PAGE", "Rows", "closed_orders", "entries", "fills", "open_orders", "page"]

PAGE: Final = 50
_SECOND: Final = 1_000_000_000
_RowT = TypeVar("_RowT")

Params = Mapping[str, str]


class Rows(Protocol[_RowT]):
    """What can be shown page by page."""

    def __len__(self) -> int: ...
    def page(self, start: int, count: int) -> list[_RowT]: ...


class Chosen(list[_RowT]):
    """Rows that were looked at one by one."""

    def page(self, start: int, count: int) -> list[_RowT]:
        """Return so many rows behind the first `start` of them."""
        return self[start : start + count]


def page(rows: Rows[_RowT], params: Params) -> list[_RowT]:
    """Return the rows of the page that starts behind the first ``ofs``."""
    return rows.page(max(0, whole(params, "ofs") or 0), PAGE)


def open_orders(account: Account, params: Params) -> list[AccountOrder]:
    """Return the open orders, newest first."""
    named = _named(params)
    return [order for order in reversed(account.open_orders.values()) if named is None or named(order)]


def closed_orders(account: Account, params: Params) -> Rows[AccountOrder]:
    """Return the orders that have ended in some time (``closetime`` says which of their times counts)."""
    kind, (start_ns, end_ns), named = params.get("closetime", "both"), _window(account, params), _named(params)
    if named is None and (kind == "close" or (kind == "both" and end_ns is None)):
        return account.closed_orders.between(start_ns, end_ns)  # an order that opened after the start ended after it

    def inside(time_ns: int) -> bool:
        return (start_ns is None or time_ns > start_ns) and (end_ns is None or time_ns <= end_ns)

    opens, closes = kind in ("open", "both"), kind in ("close", "both")
    return Chosen(
        order
        for order in account.closed_orders.between(start_ns, None)
        if ((opens and inside(order.opened_ns)) or (closes and inside(order.closed_ns)))
        and (named is None or named(order))
    )


def fills(account: Account, params: Params) -> Rows[Fill]:
    """Return the fills of some time."""
    return account.fills.between(*_window(account, params))


def entries(account: Account, params: Params, assets: Iterable[str] | None) -> Rows[LedgerEntry]:
    """Return the ledger entries of some time, of some assets (all without), and of a kind (``type``)."""
    found, kind = account.entries.between(*_window(account, params)), params.get("type", "all")
    if kind == "all" and assets is None:
        return found
    wanted = None if assets is None else frozenset(assets)
    return Chosen(entry for entry in found if kind in ("all", entry.kind) and (wanted is None or entry.asset in wanted))


def _named(params: Params) -> Callable[[AccountOrder], bool] | None:
    """Whether an order has the ids that were asked for; None if none were."""
    wanted, own = userref(params), params.get("cl_ord_id")
    if wanted is None and own is None:
        return None
    return lambda order: (wanted is None or order.userref == wanted) and (own is None or order.cl_ord_id == own)


def _window(account: Account, params: Params) -> tuple[int | None, int | None]:
    """Which times count: after the first, up to the second; both in seconds, or the id of an order."""
    return _time_ns(account, params, "start"), _time_ns(account, params, "end")


def _time_ns(account: Account, params: Params, name: str) -> int | None:
    order = account.orders_seen.get(params.get(name, ""))
    if order is not None:
        return order.opened_ns
    seconds: Decimal | None = number(params, name)
    return None if seconds is None else int(seconds * _SECOND)
