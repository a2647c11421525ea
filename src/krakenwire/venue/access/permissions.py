"""What an API key may do: Kraken's permissions, and which of them each request needs.

Where Kraken lets either of two permissions do, either is enough here. A token
has the permissions of the key it was issued for. Source: v2 reference, section
4.1; v1 reference, section 8.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

__all__ = [
    "ALL_PERMISSIONS",
    "CHANNEL_NEEDS",
    "METHOD_NEEDS",
    "PERMISSION_DENIED",
    "REST_NEEDS",
    "Permission",
    "permission_refusal",
]

PERMISSION_DENIED: Final = "EGeneral:Permission denied"


class Permission(StrEnum):
    """One permission of a key, spelled as in a configuration."""

    QUERY_FUNDS = "query_funds"
    QUERY_OPEN_ORDERS = "query_open_orders"
    QUERY_CLOSED_ORDERS = "query_closed_orders"
    MODIFY_ORDERS = "modify_orders"
    CANCEL_ORDERS = "cancel_orders"
    QUERY_LEDGER = "query_ledger"
    WEBSOCKET = "websocket"


ALL_PERMISSIONS: Final = frozenset(Permission)

Needs = frozenset[Permission]
"""One of these is needed; nothing when there are none."""


def _any(*permissions: Permission) -> Needs:
    return frozenset(permissions)


_FUNDS: Final = _any(Permission.QUERY_FUNDS)
_OPEN: Final = _any(Permission.QUERY_OPEN_ORDERS)
_CLOSED: Final = _any(Permission.QUERY_CLOSED_ORDERS)
_HISTORY: Final = _OPEN | _CLOSED
_LEDGER: Final = _any(Permission.QUERY_LEDGER)
_PLACE: Final = _any(Permission.MODIFY_ORDERS)
_CANCEL: Final = _any(Permission.MODIFY_ORDERS, Permission.CANCEL_ORDERS)
_WEBSOCKET: Final = _any(Permission.WEBSOCKET)

REST_NEEDS: Final[Mapping[str, Needs]] = {
    "AddOrder": _PLACE,
    "AddOrderBatch": _PLACE,
    "AmendOrder": _PLACE,
    "Balance": _FUNDS,
    "BalanceEx": _FUNDS,
    "CancelAll": _CANCEL,
    "CancelAllOrdersAfter": _CANCEL,
    "CancelOrder": _CANCEL,
    "CancelOrderBatch": _CANCEL,
    "ClosedOrders": _CLOSED,
    "EditOrder": _PLACE,
    "GetWebSocketsToken": _WEBSOCKET,
    "Ledgers": _LEDGER,
    "OpenOrders": _OPEN,
    "OpenPositions": _OPEN,
    "OrderAmends": _HISTORY,
    "QueryLedgers": _LEDGER,
    "QueryOrders": _HISTORY,
    "QueryTrades": _HISTORY,
    "TradeBalance": _FUNDS | _OPEN,
    "TradeVolume": _FUNDS,
    "TradesHistory": _HISTORY,
}
"""By the last part of the path."""

METHOD_NEEDS: Final[Mapping[str, Needs]] = {
    "add_order": _PLACE,
    "amend_order": _PLACE,
    "batch_add": _PLACE,
    "batch_cancel": _CANCEL,
    "cancel_all": _CANCEL,
    "cancel_all_orders_after": _CANCEL,
    "cancel_order": _CANCEL,
    "edit_order": _PLACE,
    "addOrder": _PLACE,
    "amendOrder": _PLACE,
    "cancelAll": _CANCEL,
    "cancelAllOrdersAfter": _CANCEL,
    "cancelOrder": _CANCEL,
    "editOrder": _PLACE,
}
"""By the v2 method or the v1 event."""

CHANNEL_NEEDS: Final[Mapping[str, Needs]] = {
    "balances": _FUNDS,
    "executions": _HISTORY,
    "level3": frozenset(),
    "openOrders": _OPEN,
    "ownTrades": _HISTORY,
}
"""By the v2 or v1 channel. Which permission each needs is not documented; level3 shows nothing of an account."""


def permission_refusal(held: Collection[Permission], needs: Needs) -> str | None:
    """Return the venue's text when none of the permissions needed is held, None when one is."""
    return None if not needs or not needs.isdisjoint(held) else PERMISSION_DENIED
