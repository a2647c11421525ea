"""Which permission of an API key each request needs, and what the wire calls them.

Where Kraken lets either of two permissions do, either is enough here. Source:
v2 reference, section 4.1; v1 reference, section 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from krakenwire.model.permissions import Permission

__all__ = ["CHANNEL_NEEDS", "METHOD_NEEDS", "REST_NEEDS", "WIRE_PERMISSIONS", "Needs"]

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
    "GetApiKeyInfo": frozenset(),
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

WIRE_PERMISSIONS: Final[Mapping[str, Permission]] = {
    "query-funds": Permission.QUERY_FUNDS,
    "query-open-trades": Permission.QUERY_OPEN_ORDERS,
    "query-closed-trades": Permission.QUERY_CLOSED_ORDERS,
    "modify-trades": Permission.MODIFY_ORDERS,
    "close-trades": Permission.CANCEL_ORDERS,
    "query-ledger": Permission.QUERY_LEDGER,
    "create-ws-token": Permission.WEBSOCKET,
}
"""What `GetApiKeyInfo` calls them. Source: REST reference, GetApiKeyInfo."""
