"""What version 1 objects mean: statuses, liveness and refusals as model events.

An object is told by its `event`, except the rate-limit frame that has none.
No secret may leave here: an error status echoes the request with its token,
which is dropped. Next: `client`, which joins this with `channels`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from krakenwire.errors import DecodeError, SymbolError, excerpt
from krakenwire.model import (
    CHANNELS,
    Event,
    Heartbeat,
    Pong,
    Refused,
    Status,
    Subscribed,
    Subscription,
    Unknown,
    Unsubscribed,
)
from krakenwire.protocol.symbols import to_v2
from krakenwire.protocol.v1.channels import channel_parts, symbol_of
from krakenwire.protocol.v1.replies import REPLY_EVENTS, trading_reply

__all__ = ["HEARTBEAT", "object_event"]

HEARTBEAT: Final[tuple[Event, ...]] = (Heartbeat(),)

_Message = Mapping[str, object]
PRIVATE_CHANNELS: Final = ("openOrders", "ownTrades")
_ERROR_MEMBERS: Final = ("errorMessage", "Error", "error")
_HINTS: Final = {
    "Exceeded msg rate": "Send fewer requests; one request can name many pairs",
    "Already subscribed": "The subscription stands as it is",
}


def object_event(message: _Message) -> Event:
    """Return the event of any decoded object frame.

    Raises:
        DecodeError: a known member of the wrong type.
    """
    name = message.get("event")
    if name is None:
        return _nameless(message)
    if not isinstance(name, str):
        raise DecodeError("event is not a string", repr(name)[:200])
    make = _EVENTS.get(name)
    return Unknown(what=name, frame=excerpt(name)) if make is None else make(message)


def _nameless(message: _Message) -> Event:
    for member in _ERROR_MEMBERS:
        if member in message:
            return _refused("request", _text(message, member), message)
    return Unknown(what="object without event", frame=excerpt(", ".join(sorted(message))))


def _text(message: _Message, member: str) -> str:
    value = message.get(member)
    if not isinstance(value, str):
        raise DecodeError(f"{member} is not a string", repr(value)[:200])
    return value


def _integer(message: _Message, member: str) -> int | None:
    value = message.get(member)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise DecodeError(f"{member} is not an integer", repr(value)[:200])


def _refused(method: str, error: str, message: _Message, channel: str | None = None) -> Refused:
    req_id, pair = message.get("reqid"), message.get("pair")
    return Refused(
        method=method,
        error=error,
        symbol=_symbol_as_told(pair) if isinstance(pair, str) else None,
        # A refusal echoes a bad reqid as it was sent: text, a list, anything.
        req_id=req_id if isinstance(req_id, int) and not isinstance(req_id, bool) else None,
        channel_name=channel,
        hint=_HINTS.get(error, ""),
    )


def _symbol_as_told(pair: str) -> str:
    try:
        return to_v2(pair)
    except SymbolError:
        return pair


def _system_status(message: _Message) -> Event:
    version = None if message.get("version") is None else _text(message, "version")
    return Status(system=_text(message, "status"), version=version, connection_id=_integer(message, "connectionID"))


def _heartbeat(_: _Message) -> Event:
    return HEARTBEAT[0]


def _pong(message: _Message) -> Event:
    return Pong(req_id=_integer(message, "reqid"))


def _ping_status(message: _Message) -> Event:
    return _refused("ping", _text(message, "errorMessage"), message)


def _error(message: _Message) -> Event:
    return _refused("request", _text(message, "errorMessage"), message)


def _subscription_status(message: _Message) -> Event:
    status = _text(message, "status")
    if status == "error":
        return _subscription_error(message)
    if status not in ("subscribed", "unsubscribed"):
        return Unknown(what=f"subscriptionStatus {status}", frame=excerpt(status))
    name = _text(message, "channelName")
    if name in PRIVATE_CHANNELS:
        return _private_status(message, name, status)
    base, parameter = channel_parts(name)
    if base not in CHANNELS:
        return Unknown(what=f"subscriptionStatus of {name}", frame=excerpt(name))
    subscription = Subscription(
        channel=base,
        symbol=symbol_of(_text(message, "pair")),
        depth=parameter if base == "book" else None,
        interval=parameter if base == "ohlc" else None,
    )
    outcome = Subscribed if status == "subscribed" else Unsubscribed
    return outcome(subscription=subscription, req_id=_integer(message, "reqid"))


def _private_status(message: _Message, name: str, status: str) -> Event:
    subscription, req_id = Subscription(channel=name), _integer(message, "reqid")
    if status == "unsubscribed":
        return Unsubscribed(subscription=subscription, req_id=req_id)
    told = message.get("subscription")
    threshold = _integer(told, "maxratecount") if isinstance(told, dict) else None
    return Subscribed(subscription=subscription, req_id=req_id, maxratecount=threshold)


def _trading_status(message: _Message) -> Event:
    reply = trading_reply(message)
    return Unknown(what=_text(message, "event"), frame=excerpt(str(message.get("status")))) if reply is None else reply


def _subscription_error(message: _Message) -> Event:
    error, asked = _text(message, "errorMessage"), message.get("subscription")
    channel = asked.get("name") if isinstance(asked, dict) else None
    method = "subscribe" if isinstance(asked, dict) else "request"
    if error == "Subscription Not Found":
        method = "unsubscribe"
    return _refused(method, error, message, channel if isinstance(channel, str) else None)


_EVENTS: Final[dict[str, Callable[[_Message], Event]]] = {
    "error": _error,
    "heartbeat": _heartbeat,
    "pingStatus": _ping_status,
    "pong": _pong,
    "subscriptionStatus": _subscription_status,
    "systemStatus": _system_status,
    **dict.fromkeys(REPLY_EVENTS, _trading_status),
}
