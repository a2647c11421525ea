"""What a version 1 client asks of its account: requests about orders and private subscriptions, typed.

`venue_requests` finds them in frames, the gateway carries them out or says
that they belong to another host. Tokens are not looked up here.
"""

from __future__ import annotations

import msgspec

from krakenwire.model import TradingRequest
from krakenwire.protocol.v1.venue_frames import compact

__all__ = ["PrivateRequest", "PrivateSubscribe", "PrivateUnsubscribe", "TradingCall", "refuse_private"]


class PrivateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Anything that only a host with private data can do.

    Args:
        event: as the request calls itself, such as ``addOrder`` or ``subscribe``.
        req_id: to be repeated in each answer, None when there was none.
        echo: the `subscription` object as text, for refusals; empty for requests about orders.
    """

    event: str
    req_id: int | None = None
    echo: str = ""


class TradingCall(PrivateRequest, frozen=True, kw_only=True):
    """A well-formed request about orders; its symbol and its token are not yet looked up."""

    request: TradingRequest
    token: str


class PrivateSubscribe(PrivateRequest, frozen=True, kw_only=True):
    """A well-formed subscribe of a private channel.

    Args:
        channel: ``openOrders`` or ``ownTrades``.
        snapshot: of `ownTrades`, whether the last 50 trades come first.
        consolidate_taker: of `ownTrades`, whether the fills of one taking order are told as one.
        ratecounter: of `openOrders`, whether the trading counter is told along.
        rebased: how tokenised assets are counted.
    """

    channel: str
    token: str
    snapshot: bool = True
    consolidate_taker: bool = True
    ratecounter: bool = False
    rebased: bool = True


class PrivateUnsubscribe(PrivateRequest, frozen=True, kw_only=True):
    """A well-formed unsubscribe of a private channel."""

    channel: str
    token: str


def refuse_private(request: PrivateRequest, error: str) -> str:
    """Return the status that refuses a request, or one of the orders it cancels."""
    about_channel = request.event in ("subscribe", "unsubscribe")
    event = "subscriptionStatus" if about_channel else f"{request.event}Status"
    members: dict[str, object] = {"errorMessage": error, "event": event, "status": "error"}
    if request.req_id is not None:
        members["reqid"] = request.req_id
    if request.echo:
        members["subscription"] = msgspec.Raw(request.echo.encode())
    return compact(members)
