"""The client's side of WebSocket API version 1: requests out, events in.

A codec holds no connection and no book: book frames come out unapplied, with
their levels as wire text. It must never print a token. Next: `channels` and
`general` for the meaning of each frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from krakenwire.errors import DecodeError, UsageError
from krakenwire.limits import SYMBOLS_PER_REQUEST
from krakenwire.model import Event, Subscription
from krakenwire.model.subscription import one_of
from krakenwire.protocol.requests import Request
from krakenwire.protocol.symbols import to_v1
from krakenwire.protocol.v1.channels import array_event, book_event
from krakenwire.protocol.v1.general import HEARTBEAT, PRIVATE_CHANNELS, object_event
from krakenwire.protocol.v1.private_events import is_private, private_event
from krakenwire.protocol.v1.trading import subscribe_open_orders, subscribe_own_trades, unsubscribe_private

__all__ = ["ClientCodec"]

_CHANNELS: Final = ("ticker", "ohlc", "trade", "spread", "book")
_HEARTBEAT_FRAMES: Final = ('{"event":"heartbeat"}', b'{"event":"heartbeat"}')

_TAIL: Final = -64
"""From here on a frame shows its channel name and its pair."""

_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class ClientCodec:
    """Encodes requests and decodes frames of version 1.

    Symbols are v2 spellings on the caller's side and `wsname` on the wire.
    Data frames do not tell a first frame from a later one, so ticker, trades
    and candles are always of kind ``update``; books tell a snapshot, and private
    channels number their messages.

    Attributes:
        version: 1.
        unknown_members: always 0: members we do not know are passed over unseen.
    """

    version = 1

    def __init__(self) -> None:
        self.unknown_members = 0

    def subscribe(
        self, subs: Sequence[Subscription], req_ids: Iterator[int], token: str | None = None
    ) -> list[Request]:
        """Return the requests for these subscriptions, one for each channel and its parameters.

        Args:
            subs: what is wanted; `status` needs no request and `snapshot` is not for the client to choose here.
            req_ids: fresh request ids, one is taken for each request.
            token: for the account's feeds, `openOrders` and `ownTrades`.

        Raises:
            UsageError: a channel or parameter version 1 does not have, or a feed of the account's without a token.
        """
        return _requests("subscribe", subs, req_ids, token)

    def unsubscribe(
        self, subs: Sequence[Subscription], req_ids: Iterator[int], token: str | None = None
    ) -> list[Request]:
        """Return the requests that end these subscriptions, grouped like `subscribe`.

        Raises:
            UsageError: as `subscribe`.
        """
        return _requests("unsubscribe", subs, req_ids, token)

    def ping(self, req_id: int) -> str:
        """Return the text of an application ping."""
        return _encode({"event": "ping", "reqid": req_id}).decode()

    def decode(self, frame: bytes | str) -> tuple[Event, ...]:
        """Return the events of one frame.

        Raises:
            DecodeError: not JSON, not of this protocol, or a member of the wrong type.
        """
        if (frame.find('"book-', _TAIL) if isinstance(frame, str) else frame.find(b'"book-', _TAIL)) >= 0:
            update = book_event(frame)
            if update is not None:
                return (update,)
        if frame in _HEARTBEAT_FRAMES:
            return HEARTBEAT
        return (self._decode_any(frame),)

    @staticmethod
    def _decode_any(frame: bytes | str) -> Event:
        try:
            message = _decode_any(frame)
        except (ValueError, RecursionError) as error:
            raise DecodeError(f"not JSON we can read ({error})", frame) from None
        if isinstance(message, list):
            return private_event(message) if is_private(message) else array_event(message)
        if isinstance(message, dict):
            return object_event(message)
        raise DecodeError("neither an object nor an array", frame)


def _requests(event: str, subs: Sequence[Subscription], req_ids: Iterator[int], token: str | None) -> list[Request]:
    groups: dict[tuple[str, int | None, int | None], list[Subscription]] = {}
    for sub in subs:
        if sub.channel in PRIVATE_CHANNELS:
            continue
        wanted = _acceptable(sub)
        if wanted.channel != "status":
            groups.setdefault((wanted.channel, wanted.depth, wanted.interval), []).append(wanted)
    private = [_private(event, sub, next(req_ids), token) for sub in subs if sub.channel in PRIVATE_CHANNELS]
    return private + [
        _request(event, group[start : start + SYMBOLS_PER_REQUEST], next(req_ids))
        for group in groups.values()
        for start in range(0, len(group), SYMBOLS_PER_REQUEST)
    ]


def _private(event: str, sub: Subscription, req_id: int, token: str | None) -> Request:
    """A request for one of the account's feeds, with each fill for itself and the trading counter."""
    if token is None:
        raise UsageError(f"feed {sub.channel}", expected="a token")
    if event == "unsubscribe":
        frame = unsubscribe_private(sub.channel, token, req_id)
    elif sub.channel == "openOrders":
        frame = subscribe_open_orders(token, req_id, ratecounter=True)
    else:
        frame = subscribe_own_trades(token, req_id, consolidate_taker=False)
    return Request(req_id=req_id, frame=frame, subscriptions=(sub,))


def _acceptable(sub: Subscription) -> Subscription:
    wanted = sub.checked()
    one_of("channel of API version 1", wanted.channel, (*_CHANNELS, "status"))
    if wanted.event_trigger == "bbo":
        raise UsageError("ticker event_trigger", expected="trades on API version 1", found="bbo")
    return wanted


def _request(event: str, group: Sequence[Subscription], req_id: int) -> Request:
    first = group[0]
    subscription: dict[str, str | int] = {"name": first.channel}
    if first.depth is not None:
        subscription["depth"] = first.depth
    if first.interval is not None:
        subscription["interval"] = first.interval
    pairs = [to_v1(sub.symbol) for sub in group if sub.symbol is not None]
    message = {"event": event, "pair": pairs, "reqid": req_id, "subscription": subscription}
    return Request(req_id=req_id, frame=_encode(message).decode(), subscriptions=tuple(group))
