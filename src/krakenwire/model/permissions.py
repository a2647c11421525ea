"""What an API key may do, and what the venue tells about a key.

The venue's own words for each permission are here, because a person has to
find them on a settings page. Which request needs which is in
`krakenwire.protocol.permissions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

__all__ = ["PERMISSION_WORDS", "KeyInfo", "Permission"]


class Permission(StrEnum):
    """One permission of a key, spelled as in a configuration."""

    QUERY_FUNDS = "query_funds"
    QUERY_OPEN_ORDERS = "query_open_orders"
    QUERY_CLOSED_ORDERS = "query_closed_orders"
    MODIFY_ORDERS = "modify_orders"
    CANCEL_ORDERS = "cancel_orders"
    QUERY_LEDGER = "query_ledger"
    WEBSOCKET = "websocket"


PERMISSION_WORDS: Final[Mapping[Permission, str]] = {
    Permission.QUERY_FUNDS: "Funds permissions - Query",
    Permission.QUERY_OPEN_ORDERS: "Orders and trades - Query open orders & trades",
    Permission.QUERY_CLOSED_ORDERS: "Orders and trades - Query closed orders & trades",
    Permission.MODIFY_ORDERS: "Orders and trades - Create & modify orders",
    Permission.CANCEL_ORDERS: "Orders and trades - Cancel & close orders",
    Permission.QUERY_LEDGER: "Data - Query ledger entries",
    Permission.WEBSOCKET: "WebSocket interface - On",
}
"""What Kraken calls each where keys are made. Source: REST reference, GetApiKeyInfo."""


class KeyInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One API key as the venue tells of it; its texts, public and private, are left out.

    Args:
        name: what its owner calls it.
        permissions: those that concern trading.
        others: all others it has, as on the wire, such as ``withdraw-funds``.
        nonce_window: by how much a nonce may be below the highest one.
        valid_until_ns: when it ends; None for never.
        query_from_ns, query_to_ns: what time of the account it may see; None for no bound.
        last_used_ns: None for never.
        ip_allowlist: from where it may be used; empty for everywhere.
    """

    name: str
    permissions: frozenset[Permission]
    others: frozenset[str] = frozenset()
    nonce_window: int = 0
    valid_until_ns: int | None = None
    query_from_ns: int | None = None
    query_to_ns: int | None = None
    created_ns: int | None = None
    modified_ns: int | None = None
    last_used_ns: int | None = None
    ip_allowlist: tuple[str, ...] = ()
