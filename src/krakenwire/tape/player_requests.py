"""What clients of a player ask for, and the answers of a venue that has no account and only a tape's streams.

Both API versions come to the same `Wish`es; the words of every refusal are the
venue's. Next: `player`, which decides what is served.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from krakenwire.errors import SymbolError
from krakenwire.limits import BOOK_DEPTHS, OHLC_INTERVALS
from krakenwire.model import Pong, Refused, Subscribed, Subscription, Unsubscribed
from krakenwire.protocol.symbols import to_v2
from krakenwire.protocol.v1 import venue as v1
from krakenwire.protocol.v2 import encode
from krakenwire.protocol.v2 import venue as v2

__all__ = ["Wish", "answers_of", "wishes_of"]

_ELSEWHERE: Final = "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"
"""What a public endpoint of Kraken's says to private requests."""

_DEFAULTS_V1: Final = {"book": BOOK_DEPTHS[0], "ohlc": OHLC_INTERVALS[0]}
_NOT_FOUND: Final = "Subscription Not Found"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One subscription that a request begins or ends, and how to answer it.

    Args:
        ends: whether it is an unsubscribe.
        subscription: what it is about.
        written: the symbol as the client spelled it, None where there is none.
        confirm: writes the reply; told the subscription in force and, on version 1, its channel id.
        refuse: writes the refusal with a text.
    """

    ends: bool
    subscription: Subscription
    written: str | None
    confirm: Callable[[Subscription, int], str]
    refuse: Callable[[str], str]


def wishes_of(version: int, frame: bytes, now_ns: int) -> list[Wish]:
    """Return what a request wants of subscriptions, nothing where it is about something else."""
    request = v1.parse_request(frame, now_ns) if version == 1 else v2.parse_request(frame, now_ns)
    if isinstance(request, v1.Subscribe | v1.Unsubscribe):
        return _wishes_v1(request)
    if isinstance(request, v2.SubscribeRequest):
        return _wishes_v2(request, now_ns)
    return []


def answers_of(version: int, frame: bytes, now_ns: int) -> list[str]:
    """Return the answers to a request that is about no subscription of market data."""
    if version == 1:
        return _answers_v1(v1.parse_request(frame, now_ns))
    request = v2.parse_request(frame, now_ns)
    if isinstance(request, v2.PingRequest):
        return [encode.pong(Pong(req_id=request.req_id, time_in_ns=now_ns, time_out_ns=now_ns))]
    if isinstance(request, v2.TradingCall | v2.PrivateSubscribe | v2.PrivateUnsubscribe):
        return [_refused_v2(request, _ELSEWHERE, None, now_ns)]
    if isinstance(request, v2.Refusal):
        if request.method in v2.PRIVATE_METHODS or request.channel in v2.PRIVATE_CHANNELS:
            return [_refused_v2(request, _ELSEWHERE, None, now_ns)]
        return [_refused_v2(request, request.error, symbol, now_ns) for symbol in request.symbols or (None,)]
    return []


# -- version 2 -----------------------------------------------------------------------


def _refused_v2(request: Any, error: str, symbol: str | None, now_ns: int) -> str:
    refusal = Refused(method=request.method, error=error, symbol=symbol, req_id=request.req_id)
    return encode.refused(refusal, now_ns, now_ns)


def _wishes_v2(request: v2.SubscribeRequest, now_ns: int) -> list[Wish]:
    ends = isinstance(request, v2.UnsubscribeRequest)

    def confirm(subscription: Subscription, _: int) -> str:
        if ends:
            return encode.unsubscribed(Unsubscribed(subscription=subscription, req_id=request.req_id), now_ns, now_ns)
        warnings = encode.WARNINGS.get(subscription.channel, ())
        reply = Subscribed(subscription=subscription, req_id=request.req_id, warnings=warnings)
        return encode.subscribed(reply, now_ns, now_ns)

    def wish(symbol: str | None) -> Wish:
        return Wish(
            ends=ends,
            subscription=Subscription(
                channel=request.channel,
                symbol=symbol,
                depth=request.depth,
                interval=request.interval,
                event_trigger=request.event_trigger,
                snapshot=request.snapshot,
            ),
            written=symbol,
            confirm=confirm,
            refuse=lambda error: _refused_subscription(request, error, symbol, now_ns),
        )

    return [wish(symbol) for symbol in request.symbols or (None,)]


def _refused_subscription(request: v2.SubscribeRequest, error: str, symbol: str | None, now_ns: int) -> str:
    """The venue calls an unsubscribe that it refuses `subscribe`. Source: v2 reference, section 5.5."""
    refusal = Refused(method="subscribe", error=error, symbol=symbol, req_id=request.req_id)
    return encode.refused(refusal, now_ns, now_ns)


# -- version 1 -----------------------------------------------------------------------


def _answers_v1(request: v1.Request) -> list[str]:
    if isinstance(request, v1.Ping):
        return [v1.pong(request.req_id)]
    private = request.private if isinstance(request, v1.Refusal) else request
    if isinstance(private, v1.PrivateRequest):
        return [v1.refuse_private(private, _ELSEWHERE)]
    if isinstance(request, v1.UnsubscribeId):
        return [v1.refuse_id(request, _NOT_FOUND)]
    return list(request.frames) if isinstance(request, v1.Refusal) else []


def _wishes_v1(request: v1.Subscribe | v1.Unsubscribe) -> list[Wish]:
    ends = isinstance(request, v1.Unsubscribe)
    channels = v1.PUBLIC_CHANNELS if request.channel == "*" else (request.channel,)
    return [_wish_v1(request, pair, channel, ends=ends) for pair in request.pairs for channel in channels]


def _wish_v1(request: v1.Subscribe | v1.Unsubscribe, pair: str, channel: str, *, ends: bool) -> Wish:
    default = _DEFAULTS_V1.get(channel)
    write = v1.unsubscribed if ends else v1.subscribed

    def confirm(subscription: Subscription, channel_id: int) -> str:
        return write(channel_id, channel, pair, request.req_id, subscription.depth, subscription.interval)

    return Wish(
        ends=ends,
        subscription=Subscription(
            channel=channel,
            symbol=_symbol(pair),
            depth=(request.depth or default) if channel == "book" else None,
            interval=(request.interval or default) if channel == "ohlc" else None,
        ),
        written=pair,
        confirm=confirm,
        refuse=lambda error: v1.refuse_pair(request, pair, error),
    )


def _symbol(pair: str) -> str | None:
    try:
        return to_v2(pair)
    except SymbolError:
        return None
