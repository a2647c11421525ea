"""What a client may ask a version 1 venue, and the exact words of every refusal.

`parse_request` turns a frame into a typed request or into the frames that
refuse it, in the documented texts. It knows no pairs, no subscriptions and no
accounts: those refusals are the gateway's, made with `refuse_pair` and
`refuse_private`. Members that are null count as absent. Next: `venue_trading`
for requests about orders. Source: v1 reference, sections 6, 9, 10 and 11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from krakenwire.limits import (
    BOOK_DEPTHS,
    OHLC_INTERVALS,
    REQUEST_BYTES_MAX,
    VENUE_ECHO_CHARS_MAX,
    VENUE_PAIRS_PER_REQUEST_MAX,
)
from krakenwire.protocol.flat_values import exact_text
from krakenwire.protocol.v1.venue_frames import compact
from krakenwire.protocol.v1.venue_private import (
    PrivateRequest,
    PrivateSubscribe,
    PrivateUnsubscribe,
    TradingCall,
    refuse_private,
)
from krakenwire.protocol.v1.venue_trading import TRADING_EVENTS, trading_request
from krakenwire.protocol.v2.refusals import Declined

__all__ = [
    "PUBLIC_CHANNELS",
    "Ping",
    "Refusal",
    "Request",
    "Subscribe",
    "Unsubscribe",
    "UnsubscribeId",
    "parse_request",
    "refuse_id",
    "refuse_pair",
    "refuse_ping",
    "refuse_rate",
]

PUBLIC_CHANNELS: Final = ("ticker", "ohlc", "trade", "spread", "book")

_PRIVATE_CHANNELS: Final = ("ownTrades", "openOrders")
_REQID_LIMIT: Final = 2**64
_REQID_TEXT: Final = f"Reqid field must be a positive integer less than {_REQID_LIMIT}"

_FIELDS: Final = {
    "subscribe": {"event", "pair", "reqid", "subscription"},
    "unsubscribe": {"channelID", "event", "pair", "reqid", "subscription"},
}
_SUBSCRIPTION_FIELDS: Final = {
    *("consolidate_taker", "depth", "interval", "name", "ratecounter", "rebased", "snapshot", "token"),
}

_Message = Mapping[str, object]


class Ping(msgspec.Struct, frozen=True):
    """A client wants to know that we are there."""

    req_id: int | None


class Subscribe(msgspec.Struct, frozen=True):
    """A well-formed subscribe: one status is due for each pair and channel.

    Args:
        pairs: as sent, not yet known to exist.
        channel: one of `PUBLIC_CHANNELS` or ``*`` for all of them.
        depth, interval: in force, with the defaults filled in, for `book` and `ohlc`.
        echo: the `subscription` object as text, for refusals.
    """

    pairs: tuple[str, ...]
    channel: str
    depth: int | None
    interval: int | None
    req_id: int | None
    echo: str


class Unsubscribe(msgspec.Struct, frozen=True):
    """A well-formed unsubscribe by name; `depth` and `interval` are None where none was sent."""

    pairs: tuple[str, ...]
    channel: str
    depth: int | None
    interval: int | None
    req_id: int | None
    echo: str


class UnsubscribeId(msgspec.Struct, frozen=True):
    """A well-formed unsubscribe by `channelID`."""

    channel_id: int
    req_id: int | None


class Refusal(msgspec.Struct, frozen=True):
    """A request that is refused as a whole, and the frames that say so.

    Args:
        private: what it was, when a host without private data would refuse it for that before anything else.
    """

    frames: tuple[str, ...]
    private: PrivateRequest | None = None


_MALFORMED: Final = Refusal((compact({"errorMessage": "Malformed request", "event": "error"}),))


class _RefusedError(Exception):
    """Carries the text of a refusal out of the checks."""


Request = Ping | Subscribe | Unsubscribe | UnsubscribeId | TradingCall | PrivateSubscribe | PrivateUnsubscribe | Refusal


def parse_request(frame: str | bytes, now_ns: int = 0) -> Request:
    """Return what a client's frame asks for, or the frames that refuse it. Never raises.

    Args:
        frame: as received.
        now_ns: for what requests about orders say of times.
    """
    try:
        message = _decoded(frame)
        return _MALFORMED if message is None else _parse(message, now_ns)
    except RecursionError:
        return _MALFORMED


def _parse(message: _Message, now_ns: int) -> Request:
    event = message.get("event")
    if event is None:
        return _refused("Event(s) not found", "subscriptionStatus", message)
    parse = _PARSERS.get(event) if isinstance(event, str) else None
    if isinstance(event, str) and (parse is not None or event in TRADING_EVENTS) and not _good_reqid(message):
        return _refused(_REQID_TEXT, _status_event(event), message, reqid=message["reqid"])
    if isinstance(event, str) and event in TRADING_EVENTS:
        return _parse_trading(event, message, now_ns)
    if parse is None:
        return _refused("Unsupported event", "subscriptionStatus", message)
    return parse(message)


def _parse_trading(event: str, message: _Message, now_ns: int) -> TradingCall | Refusal:
    req_id = _reqid_of(message)
    try:
        request, token = trading_request(message, now_ns)
    except Declined as declined:
        private = PrivateRequest(event=event, req_id=req_id)
        error = str(declined)
        members: dict[str, object] = {"errorMessage": error, "event": f"{event}Status", "status": "error"}
        if not error.startswith(_ENGINE_WORDS):
            members |= _pair_member(message)
        return Refusal((compact(members | _reqid_member(req_id)),), private)
    return TradingCall(event=event, req_id=req_id, request=request, token=token)


_ENGINE_WORDS: Final = ("EGeneral:", "EService:")


def _pair_member(message: _Message) -> dict[str, object]:
    """The pair of a request about orders: recorded refusals of the gateway repeat it."""
    pair = message.get("pair")
    return {"pair": pair} if isinstance(pair, str) and len(pair) <= VENUE_ECHO_CHARS_MAX else {}


def refuse_pair(request: Subscribe | Unsubscribe, pair: str, error: str) -> str:
    """Return the status that refuses one pair of a request."""
    return _pair_refusal(error, pair, request.echo, request.req_id)


def refuse_id(request: UnsubscribeId, error: str) -> str:
    """Return the status that refuses an unsubscribe by id."""
    members: dict[str, object] = {"channelID": request.channel_id, "errorMessage": error}
    return compact(members | {"event": "subscriptionStatus", "status": "error"} | _reqid_member(request.req_id))


def refuse_ping(request: Ping, error: str) -> str:
    """Return the status that refuses a ping."""
    members: dict[str, object] = {"errorMessage": error, "event": "pingStatus", "status": "error"}
    return compact(members | _reqid_member(request.req_id))


def refuse_rate(frame: str | bytes, error: str) -> str:
    """Return what is said to a frame that came too fast, whatever it asks for. Source: v1 reference, section 11.1."""
    try:
        message = _decoded(frame)
    except RecursionError:
        message = None
    reqid = None if message is None else _reqid_of(message)
    return compact({"errorMessage": error, "event": "error"} | _reqid_member(reqid))


_DECODER: Final = msgspec.json.Decoder(float_hook=exact_text)


def _decoded(frame: str | bytes) -> _Message | None:
    if len(frame) > REQUEST_BYTES_MAX:
        return None
    try:
        message = _DECODER.decode(frame)
    except ValueError:
        return None
    if not isinstance(message, dict):
        return None
    return {name: value for name, value in message.items() if value is not None}


def _status_event(event: str) -> str:
    return "subscriptionStatus" if event in ("subscribe", "unsubscribe") else f"{event}Status"


def _good_reqid(message: _Message) -> bool:
    reqid = message.get("reqid", 0)
    return isinstance(reqid, int) and not isinstance(reqid, bool) and 0 <= reqid < _REQID_LIMIT


def _reqid_of(message: _Message) -> int | None:
    reqid = message.get("reqid")
    return reqid if isinstance(reqid, int) and _good_reqid(message) else None


def _reqid_member(reqid: object) -> dict[str, object]:
    return {} if reqid is None else {"reqid": reqid}


def _refused(error: str, event: str, message: _Message, reqid: object = None) -> Refusal:
    members: dict[str, object] = {"errorMessage": error, "event": event, "status": "error"}
    return Refusal((compact(members | _reqid_member(_reqid_of(message) if reqid is None else reqid)),))


def _pair_refusal(error: str, pair: object, echo: str | None, req_id: int | None) -> str:
    members: dict[str, object] = {"errorMessage": error, "event": "subscriptionStatus", "status": "error"}
    members |= _reqid_member(req_id)
    if pair is not None:
        members["pair"] = pair
    if echo is not None:
        members["subscription"] = msgspec.Raw(echo)
    return compact(members)


def _parse_ping(message: _Message) -> Ping:
    return Ping(_reqid_of(message))


def _parse_subscribe(message: _Message) -> Subscribe | PrivateSubscribe | Refusal:
    parsed = _parse_named(message, "subscribe")
    if isinstance(parsed, Refusal):
        return parsed
    if parsed[1] in _PRIVATE_CHANNELS:
        return _private_subscribe(message, parsed[1], parsed[4])
    pairs, name, depth, interval, echo = parsed
    if name == "book" and depth is None:
        depth = BOOK_DEPTHS[0]
    if name == "ohlc" and interval is None:
        interval = OHLC_INTERVALS[0]
    return Subscribe(pairs, name, depth, interval, _reqid_of(message), echo)


def _private_subscribe(message: _Message, channel: str, echo: str) -> PrivateSubscribe | Refusal:
    asked, req_id = message["subscription"], _reqid_of(message)
    assert isinstance(asked, dict)
    try:
        return PrivateSubscribe(
            event="subscribe",
            req_id=req_id,
            echo=echo,
            channel=channel,
            token=_token(asked),
            snapshot=_option(asked, "snapshot", True),
            consolidate_taker=_option(asked, "consolidate_taker", True),
            ratecounter=_option(asked, "ratecounter", False),
            rebased=_option(asked, "rebased", True),
        )
    except _RefusedError as refused:
        return _private_refusal("subscribe", str(refused), req_id, echo)


def _private_unsubscribe(message: _Message, channel: str, echo: str) -> PrivateUnsubscribe | Refusal:
    asked, req_id = message["subscription"], _reqid_of(message)
    assert isinstance(asked, dict)
    try:
        return PrivateUnsubscribe(event="unsubscribe", req_id=req_id, echo=echo, channel=channel, token=_token(asked))
    except _RefusedError as refused:
        return _private_refusal("unsubscribe", str(refused), req_id, echo)


def _private_refusal(event: str, error: str, req_id: int | None, echo: str) -> Refusal:
    private = PrivateRequest(event=event, req_id=req_id, echo=echo)
    return Refusal((refuse_private(private, error),), private)


def _token(asked: _Message) -> str:
    token = asked.get("token")
    if not isinstance(token, str) or not token:
        raise _RefusedError("Token(s) not found")
    return token


def _option(asked: _Message, name: str, default: bool) -> bool:
    """A boolean, also when it is written as text."""
    value = asked.get(name)
    if value is None:
        return default
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise _RefusedError("Malformed request")


def _parse_unsubscribe(message: _Message) -> Unsubscribe | UnsubscribeId | PrivateUnsubscribe | Refusal:
    channel_id = message.get("channelID")
    if isinstance(channel_id, int) and not isinstance(channel_id, bool):
        return UnsubscribeId(channel_id, _reqid_of(message))
    if channel_id is not None:
        return _refused("Malformed request", "subscriptionStatus", message)
    parsed = _parse_named(message, "unsubscribe")
    if isinstance(parsed, Refusal):
        return parsed
    if parsed[1] in _PRIVATE_CHANNELS:
        return _private_unsubscribe(message, parsed[1], parsed[4])
    pairs, name, depth, interval, echo = parsed
    return Unsubscribe(pairs, name, depth, interval, _reqid_of(message), echo)


_Named = tuple[tuple[str, ...], str, int | None, int | None, str]


def _parse_named(message: _Message, event: str) -> _Named | Refusal:
    """The part that subscribe and unsubscribe share: pairs, channel, parameters."""
    subscription = message.get("subscription")
    echo = None if subscription is None else compact(subscription)
    if echo is not None and len(echo) > VENUE_ECHO_CHARS_MAX:
        return _refused("Malformed request", "subscriptionStatus", message)
    try:
        pairs, name, depth, interval = _checked_named(message, event)
    except _RefusedError as refused:
        return _refused_named(str(refused), message.get("pair"), echo, _reqid_of(message))
    return pairs, name, depth, interval, echo or ""


def _checked_named(message: _Message, event: str) -> tuple[tuple[str, ...], str, int | None, int | None]:
    pair, subscription = message.get("pair"), message.get("subscription")
    _only_known_fields(message, event)
    _check_pair_field(pair)
    if not isinstance(subscription, dict):
        raise _RefusedError("Subscription field must be an object")
    asked = {name: value for name, value in subscription.items() if value is not None}
    name, depth, interval = _checked_subscription(asked)
    return _checked_pairs(pair, name), name, depth, interval


def _refused_named(error: str, pair: object, echo: str | None, req_id: int | None) -> Refusal:
    """One status for each pair, or one without; a pair field that is no list is echoed as sent."""
    if isinstance(pair, list) and len(pair) <= VENUE_PAIRS_PER_REQUEST_MAX:
        # An entry that is no text has no place in a status; the others get theirs.
        pairs = [entry for entry in pair if isinstance(entry, str)]
        return Refusal(tuple(_pair_refusal(error, entry, echo, req_id) for entry in pairs or (None,)))
    return Refusal((_pair_refusal(error, None if isinstance(pair, list) else pair, echo, req_id),))


def _only_known_fields(message: _Message, event: str) -> None:
    for name in message:
        if name not in _FIELDS[event]:
            raise _RefusedError(f"Unsupported field: '{name}' for the given msg type: {event}")


def _check_pair_field(pair: object) -> None:
    if pair is None:
        return
    if not isinstance(pair, list):
        raise _RefusedError("Pair field must be an array")
    if len(pair) > VENUE_PAIRS_PER_REQUEST_MAX or not all(isinstance(entry, str) for entry in pair):
        raise _RefusedError("Malformed request")


def _checked_pairs(pair: object, name: str) -> tuple[str, ...]:
    if name in _PRIVATE_CHANNELS:
        if pair is not None:
            raise _RefusedError("Pair field unsupported for this subscription type")
        return ()
    if not isinstance(pair, list) or not pair:
        raise _RefusedError("Pair(s) not found")
    return tuple(pair)


def _checked_subscription(asked: _Message) -> tuple[str, int | None, int | None]:
    name = asked.get("name")
    if name is None:
        raise _RefusedError("Malformed request")
    if not isinstance(name, str) or name not in (*PUBLIC_CHANNELS, *_PRIVATE_CHANNELS, "*"):
        raise _RefusedError("Subscription name invalid")
    if not _SUBSCRIPTION_FIELDS.issuperset(asked):
        raise _RefusedError("Subscription object unsupported field")
    if name not in _PRIVATE_CHANNELS:
        _no_foreign_parameter(asked, name)
    depth = _parameter(asked, "depth", "book depth", "depth", BOOK_DEPTHS)
    return name, depth, _parameter(asked, "interval", "ohlc interval", "ohlc interval", OHLC_INTERVALS)


def _no_foreign_parameter(asked: _Message, name: str) -> None:
    own = {"book": "depth", "ohlc": "interval"}.get(name)
    for parameter in sorted(_SUBSCRIPTION_FIELDS.intersection(asked)):
        if parameter not in ("name", own):
            raise _RefusedError(f"Subscription {name} doesn't require {parameter}")


def _parameter(asked: _Message, member: str, typed: str, listed: str, allowed: tuple[int, ...]) -> int | None:
    value = asked.get(member)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise _RefusedError(f"Subscription {typed} must be an integer")
    if value not in allowed:
        raise _RefusedError(f"Subscription {listed} not supported")
    return value


_PARSERS: Final[dict[str, Callable[[_Message], Request]]] = {
    "ping": _parse_ping,
    "subscribe": _parse_subscribe,
    "unsubscribe": _parse_unsubscribe,
}
