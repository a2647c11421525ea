"""The venue's side of v2, inbound: client frames into typed requests or refusals.

Whatever a client sends gives a request or a `Refusal` with the venue's own
text; nothing here raises for a peer's mistake. Members are checked strictly,
values against what the reference lists. Public subscriptions are read here,
orders in `venue_trading`, private channels in `venue_private`; the way out is
in `encode` and `encode_private`. Source: v2 reference, sections 2.2, 5, 6 and 12.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from krakenwire.limits import (
    BOOK_DEPTHS,
    LEVEL3_DEPTHS,
    OHLC_INTERVALS,
    REQUEST_BYTES_MAX,
    VENUE_PAIRS_PER_REQUEST_MAX,
)
from krakenwire.protocol.v2.private_words import PRIVATE_CHANNELS, PRIVATE_METHODS
from krakenwire.protocol.v2.refusals import (
    FLAG,
    INTEGER,
    TEXT,
    TEXTS,
    Declined,
    MemberKind,
    Refusal,
    checked,
    exact_number,
    only,
    require,
)
from krakenwire.protocol.v2.venue_private import (
    PrivateSubscribe,
    PrivateUnsubscribe,
    private_subscribe,
    private_unsubscribe,
)
from krakenwire.protocol.v2.venue_trading import TradingCall, trading_call

__all__ = [
    "PRIVATE_CHANNELS",
    "PRIVATE_METHODS",
    "PUBLIC_CHANNELS",
    "PingRequest",
    "PrivateSubscribe",
    "PrivateUnsubscribe",
    "Refusal",
    "SubscribeRequest",
    "TradingCall",
    "UnsubscribeRequest",
    "VenueRequest",
    "parse_request",
]

PUBLIC_CHANNELS = ("ticker", "book", "level3", "ohlc", "trade", "instrument")

_UNTYPED = msgspec.json.Decoder(float_hook=exact_number)
_BAD_BYTES = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
_SYMBOLS_MAX = VENUE_PAIRS_PER_REQUEST_MAX
_REQ_ID_MIN, _REQ_ID_MAX = -(1 << 63), (1 << 64) - 1


class SubscribeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A well-formed subscribe: effective parameters, symbols not yet looked up.

    Args:
        channel: one of `PUBLIC_CHANNELS`.
        symbols: as written, in order; empty for `instrument`.
        depth, interval, event_trigger, snapshot: with the channel's defaults filled in;
            None where the channel has no such parameter.
        token: `level3` only, not empty.
        req_id: to be repeated in each reply, None when there was none.
    """

    channel: str
    symbols: tuple[str, ...]
    depth: int | None = None
    interval: int | None = None
    event_trigger: str | None = None
    snapshot: bool = True
    token: str | None = None
    req_id: int | None = None

    @property
    def method(self) -> str:
        """How replies call it."""
        return "subscribe"


class UnsubscribeRequest(SubscribeRequest, frozen=True, kw_only=True):
    """A well-formed unsubscribe: `depth` and `event_trigger` are None where it leaves them open."""

    @property
    def method(self) -> str:
        """How replies call it."""
        return "unsubscribe"


class PingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An application ping."""

    req_id: int | None = None


VenueRequest = (
    SubscribeRequest | UnsubscribeRequest | PingRequest | TradingCall | PrivateSubscribe | PrivateUnsubscribe | Refusal
)
"""Anything a client's frame can come to."""


def parse_request(frame: str | bytes, now_ns: int = 0) -> VenueRequest:
    """Return what a client frame asks for, or the refusal it deserves; never raises.

    Args:
        frame: as it came.
        now_ns: for the deadlines of orders; without it every one of them is refused.

    Cost: linear in the frame, which is refused above `REQUEST_BYTES_MAX`.
    """
    request = _json_object(frame)
    if request is None:
        return Refusal(error="Malformed request")
    method = request.get("method")
    req_id = request.get("req_id")
    echoed = req_id if _is_req_id(req_id) else None
    if not isinstance(method, str):
        error = "Method(s) not found" if method is None else "Method field must be a string"
        return Refusal(error=error, req_id=echoed)
    try:
        _check_req_id(request, echoed)
        if method in PRIVATE_METHODS:
            return trading_call(method, _params(request, method), echoed, now_ns)
        return _METHODS.get(method, _unsupported)(request, echoed)
    except Declined as refused:
        symbols, channel = _named(request)
        return Refusal(error=str(refused), method=method, symbols=symbols, req_id=echoed, channel=channel)


def _json_object(frame: str | bytes) -> dict[str, Any] | None:
    if len(frame) > REQUEST_BYTES_MAX:
        return None
    try:
        value = _UNTYPED.decode(frame)
    except _BAD_BYTES:
        return None
    return value if isinstance(value, dict) else None


def _is_req_id(value: object) -> bool:
    return type(value) is int and _REQ_ID_MIN <= value <= _REQ_ID_MAX


def _check_req_id(request: dict[str, Any], echoed: int | None) -> None:
    if "req_id" in request and echoed is None:
        raise Declined("Req_id field must be an integer")


def _named(request: dict[str, Any]) -> tuple[tuple[str, ...], str | None]:
    """The symbols and the channel of a refused subscription, as far as they can be read.

    Private requests are refused as a whole, whatever symbols they name.
    """
    params = request.get("params")
    if not isinstance(params, dict) or request["method"] in PRIVATE_METHODS:
        return (), None
    symbols, channel = params.get("symbol"), params.get("channel")
    if not isinstance(channel, str):
        channel = None
    if not isinstance(symbols, list) or channel in PRIVATE_CHANNELS:
        return (), channel
    readable = all(isinstance(symbol, str) for symbol in symbols)
    return tuple(symbols)[:_SYMBOLS_MAX] if readable else (), channel


# -- methods -----------------------------------------------------------------


def _ping(request: dict[str, Any], req_id: int | None) -> PingRequest:
    only(request, ("method", "req_id"), "ping")
    return PingRequest(req_id=req_id)


def _subscribe(request: dict[str, Any], req_id: int | None) -> SubscribeRequest | PrivateSubscribe:
    params = _params(request, "subscribe")
    if params.get("channel") in PRIVATE_CHANNELS:
        return private_subscribe(params, req_id)
    return SubscribeRequest(**_subscription(params, "subscribe"), req_id=req_id)


def _unsubscribe(request: dict[str, Any], req_id: int | None) -> UnsubscribeRequest | PrivateUnsubscribe:
    params = _params(request, "unsubscribe")
    if params.get("channel") in PRIVATE_CHANNELS:
        return private_unsubscribe(params, req_id)
    return UnsubscribeRequest(**_subscription(params, "unsubscribe"), req_id=req_id)


def _unsupported(_request: dict[str, Any], _req_id: int | None) -> PingRequest:
    raise Declined("Unsupported event")


_METHODS: Mapping[str, Callable[[dict[str, Any], int | None], VenueRequest]] = {
    "ping": _ping,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
}


def _params(request: dict[str, Any], method: str) -> dict[str, Any]:
    only(request, ("method", "params", "req_id"), method)
    params = request.get("params")
    if params is None:
        raise Declined("Params(s) not found")
    if not isinstance(params, dict):
        raise Declined("Params field must be an object")
    return params


# -- parameters ----------------------------------------------------------------

_MEMBERS: Mapping[str, MemberKind] = {
    "channel": TEXT,
    "symbol": TEXTS,
    "depth": INTEGER,
    "interval": INTEGER,
    "event_trigger": TEXT,
    "snapshot": FLAG,
    "token": TEXT,
    "include_tokenized_assets": FLAG,
    "execution_venue": TEXT,
}
"""Members of `params` on any public channel: one that a channel has no use for is passed over."""

_DEPTH_REFUSED = "Subscription depth not supported"
_ALLOWED: Mapping[tuple[str, str], tuple[tuple[Any, ...], str]] = {
    ("book", "depth"): (BOOK_DEPTHS, _DEPTH_REFUSED),
    ("level3", "depth"): (LEVEL3_DEPTHS, _DEPTH_REFUSED),
    ("ohlc", "interval"): (OHLC_INTERVALS, "Subscription ohlc interval not supported"),
    ("ticker", "event_trigger"): (("trades", "bbo"), "Subscription event_trigger not supported"),
}
"""What a channel accepts, and how it refuses the rest; the last two texts are our reading."""

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "ticker": {"event_trigger": "trades", "snapshot": True},
    "book": {"depth": 10, "snapshot": True},
    "level3": {"depth": 10, "snapshot": True, "token": None},
    "ohlc": {"interval": 1, "snapshot": True},
    "trade": {"snapshot": False},
    "instrument": {"snapshot": True},
}

_UNSAID: Mapping[str, Any] = {"depth": None, "event_trigger": None}
"""An unsubscribe that leaves these out means the subscription whatever they are."""


def _subscription(params: dict[str, Any], method: str) -> dict[str, Any]:
    """The effective parameters of a subscribe or unsubscribe of a public channel."""
    params = checked(params, _MEMBERS, method)
    channel = _channel(params)
    if channel == "level3":
        require(params, "token")
    symbols = () if channel == "instrument" else _symbols(params)
    defaults = _DEFAULTS[channel] if method == "subscribe" else {**_DEFAULTS[channel], **_UNSAID}
    effective = {name: params.get(name, defaults[name]) for name in _DEFAULTS[channel]}
    for name, value in effective.items():
        allowed, refusal = _ALLOWED.get((channel, name), ((value,), ""))
        if value is not None and value not in allowed:
            raise Declined(refusal)
    return {"channel": channel, "symbols": symbols, **effective}


def _channel(params: dict[str, Any]) -> str:
    channel: str | None = params.get("channel")
    if channel is None:
        raise Declined("Channel(s) not found")
    if channel == "status":  # it comes unasked; asking for it is refused like this
        raise Declined("Symbol(s) not found")
    if channel not in PUBLIC_CHANNELS:
        raise Declined("Subscription name invalid")
    return channel


def _symbols(params: dict[str, Any]) -> tuple[str, ...]:
    require(params, "symbol")
    symbols: list[str] = params["symbol"]
    if len(symbols) > _SYMBOLS_MAX:
        raise Declined("Exceeded msg rate")
    return tuple(symbols)
