"""The client's side of v2: requests into text, server frames into events.

`ClientCodec.decode` is the hot path of market data: known channels go through
one typed decoder, everything else - replies, the account's own channels, what
is new - through the general path. No float is ever made of a price or quantity,
and no book is applied here. Read `wire` and `wire_private` for the shapes,
`events`, `events_private` and `replies` for what becomes of them; requests
about orders are written in `trading`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeVar

import msgspec

from krakenwire.errors import DecodeError, UsageError
from krakenwire.limits import SYMBOLS_PER_REQUEST
from krakenwire.model import Event, Pong, Refused, Subscribed, Subscription, Unknown, Unsubscribed
from krakenwire.model.times import ns_from_rfc3339
from krakenwire.protocol.requests import Request
from krakenwire.protocol.symbols import explain_refusal
from krakenwire.protocol.v2 import wire
from krakenwire.protocol.v2.events import EVENTS
from krakenwire.protocol.v2.events_private import PRIVATE_EVENTS
from krakenwire.protocol.v2.private_words import PRIVATE_CHANNELS, PRIVATE_METHODS
from krakenwire.protocol.v2.replies import trading_reply
from krakenwire.protocol.v2.tolerance import without_new_members
from krakenwire.protocol.v2.trading import subscribe_balances, subscribe_executions, unsubscribe_private

__all__ = ["ClientCodec"]

_StructT = TypeVar("_StructT")

_MESSAGES = (
    wire.BookMessage
    | wire.TradeMessage
    | wire.TickerMessage
    | wire.OhlcMessage
    | wire.Level3Message
    | wire.InstrumentMessage
    | wire.StatusMessage
    | wire.HeartbeatMessage
)
_SHAPE_BY_CHANNEL = {shape.__struct_config__.tag: shape for shape in EVENTS}
_PRIVATE = {
    head: (shape, msgspec.json.Decoder(shape, float_hook=str).decode, read)
    for head, (shape, read) in PRIVATE_EVENTS.items()
}
_UNTYPED = msgspec.json.Decoder(float_hook=str)
_HEAD = msgspec.json.Decoder(wire.Head)
_REPLY = msgspec.json.Decoder(wire.Reply)
_RESULT = msgspec.json.Decoder(wire.ReplyResult)

# What the JSON decoder raises for hostile bytes besides its own error: bad UTF-8, huge integers, deep nesting.
_BAD_BYTES = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)

_UNSUPPORTED_PAIR = "Currency pair not supported"


class ClientCodec:
    """Speaks v2 as a client: stateless but for one counter.

    Attributes:
        version: the API version, 2.
        unknown_members: members seen in known channels that we have no name for; in the account's channels
            also words that are new.
    """

    version: Literal[2] = 2

    def __init__(self) -> None:
        self.unknown_members = 0
        self._decode = msgspec.json.Decoder(_MESSAGES, float_hook=str).decode

    def subscribe(
        self, subs: Sequence[Subscription], req_ids: Iterator[int], token: str | None = None
    ) -> list[Request]:
        """Return the requests for some subscriptions, grouped by channel and parameters.

        Args:
            subs: what is wanted; `status` comes unasked and is passed over.
            req_ids: numbers for the requests, one taken for each.
            token: for `level3` and the account's channels.

        Raises:
            UsageError: a channel that v2 does not have, such as `spread`, or one of the account's without a token.
        """
        return _requests("subscribe", subs, req_ids, token)

    def unsubscribe(
        self, subs: Sequence[Subscription], req_ids: Iterator[int], token: str | None = None
    ) -> list[Request]:
        """Return the requests that end some subscriptions; arguments as for `subscribe`."""
        return _requests("unsubscribe", subs, req_ids, token)

    def ping(self, req_id: int) -> str:
        """Return the frame of an application ping."""
        return f'{{"method":"ping","req_id":{req_id}}}'

    def decode(self, frame: bytes | str) -> tuple[Event, ...]:
        """Return the events of one server frame, in its order.

        Rows of several symbols give one event per symbol. Channels and methods
        we do not know give `Unknown`; unknown members are counted. The digits
        of book and level3 levels are left for the book to judge.

        Raises:
            DecodeError: not JSON, not an object, or a known member of the wrong type.

        Source: v2 reference, sections 2 to 6.
        """
        try:
            message = self._decode(frame)
        except msgspec.ValidationError as error:
            return self._decode_general(frame, error)
        except _BAD_BYTES as error:
            raise _bad(error, frame) from None
        return EVENTS[message.__class__](message)

    def _decode_general(self, frame: bytes | str, error: msgspec.ValidationError) -> tuple[Event, ...]:
        """Decode what is not a message of a known channel in the shape we know."""
        head = _read(_HEAD, frame)
        if head.method is not None:
            return (_reply(frame),)
        channel, kind = head.channel, head.type
        if not (channel is None or isinstance(channel, str)):
            raise _bad(error, frame)
        if channel is None or (channel not in _SHAPE_BY_CHANNEL and channel not in PRIVATE_CHANNELS):
            return (_unknown(channel or "neither channel nor method", frame),)
        if isinstance(kind, str) and kind not in ("snapshot", "update"):
            return (_unknown(f"{channel} {kind}", frame),)
        if channel in PRIVATE_CHANNELS:
            return self._decode_private(channel, kind, frame)
        shape = _SHAPE_BY_CHANNEL[channel]
        return EVENTS[shape](self._decode_tolerant(shape, frame))

    def _decode_private(self, channel: str, kind: object, frame: bytes | str) -> tuple[Event, ...]:
        """Decode a message about the account."""
        if not isinstance(kind, str):
            raise DecodeError("a message about the account without a type", frame)
        shape, decode, read = _PRIVATE[channel, kind]
        try:
            message = decode(frame)
        except msgspec.ValidationError:
            message = self._decode_tolerant(shape, frame)
        except _BAD_BYTES as error:
            raise _bad(error, frame) from None
        event, new_words = read(message)
        self.unknown_members += new_words
        return (event,)

    def _decode_tolerant(self, shape: type[wire.ChannelMessage], frame: bytes | str) -> wire.ChannelMessage:
        """Decode a message with members we have no name for, or fail with the reason."""
        try:
            known, extra = without_new_members(_UNTYPED.decode(frame), shape)
            message = msgspec.convert(known, shape)
        except _BAD_BYTES as error:
            raise _bad(error, frame) from None
        self.unknown_members += extra
        return message


# -- requests --------------------------------------------------------------

_ASKED_WITH = {
    "subscribe": {
        "ticker": ("event_trigger", "snapshot"),
        "book": ("depth", "snapshot"),
        "level3": ("depth", "snapshot"),
        "ohlc": ("interval", "snapshot"),
        "trade": ("snapshot",),
        "instrument": ("snapshot",),
        "executions": (),
        "balances": (),
    },
    "unsubscribe": {
        "ticker": ("event_trigger",),
        "book": ("depth",),
        "level3": ("depth",),
        "ohlc": ("interval",),
        "trade": (),
        "instrument": (),
        "executions": (),
        "balances": (),
    },
}


def _params(method: str, sub: Subscription) -> tuple[tuple[str, Any], ...]:
    """The parameters of a request but for symbols and token: what a group has in common."""
    names = _ASKED_WITH[method].get(sub.channel)
    if names is None:
        channels = ", ".join(_ASKED_WITH[method])
        raise UsageError("no such channel on API version 2", expected=f"one of {channels}", found=sub.channel)
    given = ((name, getattr(sub, name)) for name in names)
    return (("channel", sub.channel), *((name, value) for name, value in given if value is not None))


def _requests(method: str, subs: Sequence[Subscription], req_ids: Iterator[int], token: str | None) -> list[Request]:
    groups: dict[tuple[tuple[str, Any], ...], list[Subscription]] = {}
    for sub in subs:
        if sub.channel != "status":
            groups.setdefault(_params(method, sub), []).append(sub)
    return [
        _request(method, params, group[at : at + SYMBOLS_PER_REQUEST], next(req_ids), token)
        for params, group in groups.items()
        for at in range(0, len(group), SYMBOLS_PER_REQUEST)
    ]


def _request(
    method: str, params: tuple[tuple[str, Any], ...], subs: list[Subscription], req_id: int, token: str | None
) -> Request:
    channel = subs[0].channel
    if channel in PRIVATE_CHANNELS:
        return Request(req_id=req_id, frame=_private(method, channel, req_id, token), subscriptions=tuple(subs))
    body: dict[str, Any] = dict(params)
    symbols = [sub.symbol for sub in subs if sub.symbol is not None]
    if symbols:
        body["symbol"] = symbols
    if token is not None and channel == "level3":
        body["token"] = token
    frame = msgspec.json.encode({"method": method, "params": body, "req_id": req_id}).decode()
    return Request(req_id=req_id, frame=frame, subscriptions=tuple(subs))


def _private(method: str, channel: str, req_id: int, token: str | None) -> str:
    """A request for all there is about the account: open orders, the last fills, the trading counter; balances."""
    if token is None:
        raise UsageError(f"channel {channel}", expected="a token")
    if method == "unsubscribe":
        return unsubscribe_private(channel, token, req_id)
    if channel == "balances":
        return subscribe_balances(token, req_id)
    return subscribe_executions(token, req_id, snap_trades=True, ratecounter=True)


# -- replies ---------------------------------------------------------------


def _reply(frame: bytes | str) -> Event:
    reply = _read(_REPLY, frame)
    if reply.method == "pong":
        return Pong(req_id=reply.req_id, time_in_ns=_time_ns(reply.time_in), time_out_ns=_time_ns(reply.time_out))
    if reply.method in PRIVATE_METHODS:
        return _trading_reply(reply, frame)
    if reply.success is False or reply.error is not None:
        return _refused(reply)
    if reply.method not in ("subscribe", "unsubscribe") or not reply.success:
        return _unknown(reply.method, frame)
    result = _read(_RESULT, reply.result)
    subscription = Subscription(
        channel=result.channel,
        symbol=result.symbol,
        depth=result.depth,
        interval=result.interval,
        event_trigger=result.event_trigger,
        snapshot=result.snapshot,
    )
    if reply.method == "subscribe":
        return Subscribed(
            subscription=subscription,
            req_id=reply.req_id,
            warnings=tuple(result.warnings),
            maxratecount=result.maxratecount,
        )
    return Unsubscribed(subscription=subscription, req_id=reply.req_id)


def _trading_reply(reply: wire.Reply, frame: bytes | str) -> Event:
    try:
        return trading_reply(reply) or _unknown(reply.method, frame)
    except _BAD_BYTES as error:
        raise _bad(error, frame) from None


def _refused(reply: wire.Reply) -> Refused:
    error, symbol = reply.error or "", reply.symbol
    return Refused(
        method=reply.method,
        error=error,
        symbol=symbol,
        req_id=reply.req_id,
        channel_name=reply.channel,
        hint=explain_refusal(symbol, symbol) if symbol and error.startswith(_UNSUPPORTED_PAIR) else "",
    )


def _time_ns(text: str | None) -> int | None:
    return None if text is None else ns_from_rfc3339(text)


def _unknown(what: str, frame: bytes | str) -> Unknown:
    return Unknown(what=what, frame=frame if isinstance(frame, str) else frame.decode("utf-8", "replace"))


def _read(decoder: msgspec.json.Decoder[_StructT], frame: bytes | str | msgspec.Raw) -> _StructT:
    try:
        return decoder.decode(frame)
    except _BAD_BYTES as error:
        raise _bad(error, frame) from None


def _bad(error: Exception, frame: bytes | str | msgspec.Raw) -> DecodeError:
    return DecodeError(str(error), bytes(frame) if isinstance(frame, msgspec.Raw) else frame)
