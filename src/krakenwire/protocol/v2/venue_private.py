"""The venue's side of v2's private channels, inbound: what an account subscribes to and lets go.

Both channels take the same members; what one has no use for is passed over.
Whose token it is, the gateway looks up. Source: v2 reference, sections 5 and 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from krakenwire.protocol.v2.refusals import FLAG, TEXT, MemberKind, checked, require
from krakenwire.protocol.v2.venue_values import invalid

__all__ = ["PrivateSubscribe", "PrivateUnsubscribe", "private_subscribe", "private_unsubscribe"]


class PrivateSubscribe(msgspec.Struct, frozen=True, kw_only=True):
    """A well-formed subscribe of a private channel: effective parameters.

    Args:
        channel: ``executions`` or ``balances``.
        token: not empty, not yet looked up.
        snap_orders, snap_trades: of `executions`, what its snapshot holds: open orders, last fills.
        order_status: whether each change of an order is told; else only its beginning and its end.
        ratecounter: whether the trading counter is told along.
        snapshot: whether there is a snapshot at all; never with `users`.
        users: ``all`` for the subaccounts too.
        rebased: how tokenised assets are counted.
        req_id: to be repeated in the reply, None when there was none.
    """

    channel: str
    token: str
    snap_orders: bool = True
    snap_trades: bool = False
    order_status: bool = True
    ratecounter: bool = False
    snapshot: bool = True
    users: str | None = None
    rebased: bool = True
    req_id: int | None = None

    @property
    def method(self) -> str:
        """How replies call it."""
        return "subscribe"


class PrivateUnsubscribe(msgspec.Struct, frozen=True, kw_only=True):
    """A well-formed unsubscribe of a private channel."""

    channel: str
    token: str
    req_id: int | None = None

    @property
    def method(self) -> str:
        """How replies call it."""
        return "unsubscribe"


_MEMBERS: Final[Mapping[str, MemberKind]] = {
    "channel": TEXT,
    "token": TEXT,
    "snap_orders": FLAG,
    "snap_trades": FLAG,
    "order_status": FLAG,
    "ratecounter": FLAG,
    "rebased": FLAG,
    "users": TEXT,
    "snapshot": FLAG,
    "snapshot_trades": FLAG,
}


def private_subscribe(params: Mapping[str, Any], req_id: int | None) -> PrivateSubscribe:
    """Return the subscribe of a private channel by its parameters; raises `Declined`."""
    given = _given(params, "subscribe")
    users: str | None = given.get("users")
    if users not in (None, "all"):
        raise invalid("users")
    snapshot = given.get("snapshot", True)
    snap_orders = given.get("snap_orders", snapshot)
    snap_trades = given.get("snap_trades", given.get("snapshot_trades", False))
    begins = snapshot if given["channel"] == "balances" else snap_orders or snap_trades
    return PrivateSubscribe(
        channel=given["channel"],
        token=given["token"],
        snap_orders=snap_orders,
        snap_trades=snap_trades,
        order_status=given.get("order_status", True),
        ratecounter=given.get("ratecounter", False),
        snapshot=begins and users is None,
        users=users,
        rebased=given.get("rebased", True),
        req_id=req_id,
    )


def private_unsubscribe(params: Mapping[str, Any], req_id: int | None) -> PrivateUnsubscribe:
    """Return the unsubscribe of a private channel by its parameters; raises `Declined`."""
    given = _given(params, "unsubscribe")
    return PrivateUnsubscribe(channel=given["channel"], token=given["token"], req_id=req_id)


def _given(params: Mapping[str, Any], method: str) -> dict[str, Any]:
    given = checked(params, _MEMBERS, method)
    require(given, "token")
    return given
