"""The venue's side of v2, inbound: client frames into typed requests or refusals.

Whatever a client sends gives a request or a `Refusal` with the venue's own
text; nothing here raises for a peer's mistake. Members are checked strictly,
values against what the reference lists. The way out is in `encode`.
Source: v2 reference, sections 2.2, 5, 6 and 12.1.
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

__all__ = [
    "PRIVATE_CHANNELS",
    "PRIVATE_METHODS",
    "PUBLIC_CHANNELS",
    "PingRequest",
    "Refusal",
    "SubscribeRequest",
    "UnsubscribeRequest",
    "parse_request",
]

PUBLIC_CHANNELS = ("ticker", "book", "level3", "ohlc", "trade", "instrument")
PRIVATE_CHANNELS = ("executions", "balances")
PRIVATE_METHODS = (
    "add_order",
    "amend_order",
    "edit_order",
    "cancel_order",
    "cancel_all",
    "cancel_all_orders_after",
    "batch_add",
    "batch_cancel",
)
PRIVATE_ELSEWHERE = "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"

_UNTYPED = msgspec.json.Decoder()
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


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is refused with.

    Args:
        error: the venue's text.
        method: as the reply names it; ``error`` when none could be read.
        symbols: one reply is due for each, or a single one without symbol if empty.
        req_id: to be repeated, None when there was none.
        channel: what the request asked for, as far as it could be read; not part of the reply.
    """

    error: str
    method: str = "error"
    symbols: tuple[str, ...] = ()
    req_id: int | None = None
    channel: str | None = None


class _Refused(Exception):
    """Carries a refusal's text out of a check; never leaves this module."""


def parse_request(frame: str | bytes) -> SubscribeRequest | UnsubscribeRequest | PingRequest | Refusal:
    """Return what a client frame asks for, or the refusal it deserves; never raises.

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
        return _METHODS.get(method, _unsupported)(request, echoed)
    except _Refused as refused:
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
        raise _Refused("Req_id field must be an integer")


def _named(request: dict[str, Any]) -> tuple[tuple[str, ...], str | None]:
    """The symbols and the channel a refused request was about, as far as they can be read."""
    params = request.get("params")
    if not isinstance(params, dict):
        return (), None
    symbols, channel = params.get("symbol"), params.get("channel")
    readable = isinstance(symbols, list) and all(isinstance(symbol, str) for symbol in symbols)
    return tuple(symbols or ())[:_SYMBOLS_MAX] if readable else (), channel if isinstance(channel, str) else None


# -- methods -----------------------------------------------------------------


def _ping(request: dict[str, Any], req_id: int | None) -> PingRequest:
    _only(request, ("method", "req_id"), "ping")
    return PingRequest(req_id=req_id)


def _subscribe(request: dict[str, Any], req_id: int | None) -> SubscribeRequest:
    return SubscribeRequest(**_subscription(request, "subscribe"), req_id=req_id)


def _unsubscribe(request: dict[str, Any], req_id: int | None) -> UnsubscribeRequest:
    return UnsubscribeRequest(**_subscription(request, "unsubscribe"), req_id=req_id)


def _private(_request: dict[str, Any], _req_id: int | None) -> PingRequest:
    raise _Refused(PRIVATE_ELSEWHERE)


def _unsupported(_request: dict[str, Any], _req_id: int | None) -> PingRequest:
    raise _Refused("Unsupported event")


_METHODS: Mapping[str, Callable[[dict[str, Any], int | None], SubscribeRequest | PingRequest]] = {
    "ping": _ping,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    **dict.fromkeys(PRIVATE_METHODS, _private),
}


# -- parameters ----------------------------------------------------------------

_PARAM_TYPES: Mapping[str, tuple[type, str]] = {
    "channel": (str, "a string"),
    "symbol": (list, "an array"),
    "depth": (int, "an integer"),
    "interval": (int, "an integer"),
    "event_trigger": (str, "a string"),
    "snapshot": (bool, "a boolean"),
    "token": (str, "a string"),
    "include_tokenized_assets": (bool, "a boolean"),
    "execution_venue": (str, "a string"),
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


def _subscription(request: dict[str, Any], method: str) -> dict[str, Any]:
    """The effective parameters of a subscribe or unsubscribe."""
    _only(request, ("method", "params", "req_id"), method)
    params = request.get("params")
    if params is None:
        raise _Refused("Params(s) not found")
    if not isinstance(params, dict):
        raise _Refused("Params field must be an object")
    _typed(params, method)
    channel = _channel(params)
    if channel == "level3" and not params.get("token"):
        raise _Refused("Token(s) not found")
    symbols = () if channel == "instrument" else _symbols(params)
    defaults = _DEFAULTS[channel] if method == "subscribe" else {**_DEFAULTS[channel], **_UNSAID}
    effective = {name: params.get(name, defaults[name]) for name in _DEFAULTS[channel]}
    for name, value in effective.items():
        allowed, refusal = _ALLOWED.get((channel, name), ((value,), ""))
        if value is not None and value not in allowed:
            raise _Refused(refusal)
    return {"channel": channel, "symbols": symbols, **effective}


def _only(members: dict[str, Any], known: tuple[str, ...], method: str) -> None:
    for name in members:
        if name not in known:
            raise _Refused(f"Unsupported field: '{name}' for the given msg type: {method}")


def _typed(params: dict[str, Any], method: str) -> None:
    _only(params, tuple(_PARAM_TYPES), method)
    for name, value in params.items():
        kind, words = _PARAM_TYPES[name]
        if type(value) is not kind:
            raise _Refused(f"{name.capitalize()} field must be {words}")


def _channel(params: dict[str, Any]) -> str:
    channel: str | None = params.get("channel")
    if channel is None:
        raise _Refused("Channel(s) not found")
    if channel in PRIVATE_CHANNELS:
        raise _Refused(PRIVATE_ELSEWHERE)
    if channel == "status":  # it comes unasked; asking for it is refused like this
        raise _Refused("Symbol(s) not found")
    if channel not in PUBLIC_CHANNELS:
        raise _Refused("Subscription name invalid")
    return channel


def _symbols(params: dict[str, Any]) -> tuple[str, ...]:
    symbols: list[object] = params.get("symbol", [])
    if not symbols:
        raise _Refused("Symbol(s) not found")
    if not all(isinstance(symbol, str) for symbol in symbols):
        raise _Refused("Symbol field must be an array of strings")
    if len(symbols) > _SYMBOLS_MAX:
        raise _Refused("Exceeded msg rate")
    return tuple(map(str, symbols))
