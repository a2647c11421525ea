"""Decides what each client of a player is sent of a tape, record by record.

A client whose requests are the very bytes of a recorded client's gets that
connection again as it was, frame by frame; every other client gets the
channels it asks for (see `live_streams`). Reads no clock and sends nothing:
records come in by `take`, deliveries go out. `pace` says when. Driven by
`krakenwire.server.player`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from krakenwire.limits import PLAYER_ROUND_S, PLAYER_SETTLE_S
from krakenwire.model import Status, Subscription
from krakenwire.protocol.v1 import venue as v1
from krakenwire.protocol.v2 import encode
from krakenwire.tape.live_streams import ListingStream, LiveStream, View, live_stream
from krakenwire.tape.player_requests import Wish, answers_of, wishes_of
from krakenwire.tape.record import Kind, TapeRecord
from krakenwire.tape.tape_streams import (
    CHANNELS,
    Label,
    Line,
    StreamFacts,
    StreamKey,
    Survey,
    is_ping,
    label_of,
    plain_request,
)

__all__ = ["Client", "Delivery", "Player"]

_ROUND_NS: Final = int(PLAYER_ROUND_S * 1e9)
_SETTLE_NS: Final = int(PLAYER_SETTLE_S * 1e9)
_ABNORMAL: Final = 1006

_LISTING: Final = StreamKey(2, "instrument", None)

_Key = tuple[str, str | None, int | None]


class Delivery(NamedTuple):
    """What one client is sent: frames, and then perhaps the end of its connection.

    Args:
        close_code: as recorded; 1006 where the connection just broke; None to go on.
    """

    client: Client
    frames: list[bytes]
    close_code: int | None = None


class Client:
    """One client, as the player knows it.

    Args:
        version: of the API it speaks.
        clock: whether it wants to be told the tape's time before each frame.
        starts: whether the tape waits until it says so with `START`.

    Attributes:
        line: the recorded connection that is played to it again, None of one that gets channels.
        views: what it follows.
        asked: whether it has made a request yet.
        tells: whether it says when the tape may begin; `starts`: and has not yet.
    """

    def __init__(self, version: int, *, clock: bool = False, starts: bool = False) -> None:
        self.version, self.clock = version, clock
        self.tells = self.starts = starts
        self.line: Line | None = None
        self.greeted = False
        self.asked = False
        self.matched: list[bytes] = []
        self.played = 0
        self.pings = 0
        self.views: dict[_Key, tuple[Subscription, View]] = {}


START: Final = b'{"method":"start_tape"}'
"""With `tape_start=1` a client says with this text that it has subscribed to all it wants."""


class Player:
    """A tape while it plays.

    Args:
        survey: of the whole tape.
        clients: how many must have subscribed before it begins.
        verbatim: whether recorded connections can be played again as they were; not with a part of a tape.

    Attributes:
        position_ns: time of the latest record taken, the tape's start before.
        begun: whether a record has been taken.
    """

    def __init__(self, survey: Survey, *, clients: int = 1, verbatim: bool = True) -> None:
        self.survey, self._wanted, self._verbatim = survey, clients, verbatim
        self.clients: dict[Client, None] = {}
        self.position_ns = survey.start_ns
        self.begun = False
        self._streams = {key: live_stream(facts) for key, facts in survey.streams.items()}
        self._streams.setdefault(_LISTING, ListingStream(StreamFacts(key=_LISTING), survey.listing()))
        self._symbols = {key.symbol for key in survey.streams}
        self._claimable = {line.number: line for line in survey.lines.values() if self._in_first_round(line)}
        self._players: dict[int, Client] = {}
        self._followers: dict[LiveStream, dict[tuple[Client, _Key], View]] = {}
        self._expected = 0
        self._asked_ns = 0
        self._numbers: dict[tuple[StreamKey, str, int | None], int] = {}
        self._first_number = 1 + max((facts.channel_id for facts in survey.streams.values()), default=0)

    def _in_first_round(self, line: Line) -> bool:
        return self._verbatim and line.first_round and line.opened_ns <= self.survey.start_ns + _ROUND_NS

    # -- clients -------------------------------------------------------------------

    def open(self, client: Client) -> list[str]:
        """Take a client in; return what greets it."""
        self.clients[client] = None
        client.line = None if client.clock else self._free_line(client.version)
        line = client.line
        if line is None:
            return [self._status(client)]
        self._claim(client, line)
        client.greeted = line.greeting is not None
        return [line.greeting.decode()] if line.greeting is not None else []

    def close(self, client: Client) -> None:
        """Forget a client that has gone."""
        self.clients.pop(client, None)
        self._leave_line(client)
        for key in tuple(client.views):
            self._unfollow(client, key)

    def ask(self, client: Client, frame: bytes, now_ns: int) -> list[str]:
        """Take a request of a client; return what it is answered at once.

        Args:
            client: whose.
            frame: as it came.
            now_ns: the time that replies tell, of the same clock as `ready` is told.
        """
        if client.starts and frame.strip() == START:
            client.starts = False
            return []
        if is_ping(frame):
            return self._pong(client, frame, now_ns)
        self._asked_ns = now_ns
        if client.line is not None and self._goes_on(client, frame):
            client.asked = True
            return []
        missed = self._deviate(client, now_ns) if client.line is not None else []
        return missed + self._answer(client, frame, now_ns)

    def ready(self, now_ns: int) -> bool:
        """Whether the tape may begin: enough clients have asked for something, and none goes on asking."""
        asked = sum(client.asked and not client.starts for client in self.clients)
        settled = now_ns - self._asked_ns >= _SETTLE_NS or all(client.tells for client in self.clients)
        return asked >= self._wanted and settled

    @property
    def followed(self) -> bool:
        """Whether a client has asked for something."""
        return any(client.asked for client in self.clients)

    def _pong(self, client: Client, frame: bytes, now_ns: int) -> list[str]:
        """Answer a ping, unless the tape has the answer."""
        client.pings += 1
        if client.line is not None and client.pings <= client.line.pings:
            return []
        return answers_of(client.version, frame, now_ns)

    def _status(self, client: Client) -> str:
        if client.version == 1:
            return v1.system_status("online", connection_id=len(self.clients))
        status = Status(system="online", version="2.0.10", api_version="v2", connection_id=len(self.clients))
        return encode.status(status)

    # -- recorded connections ----------------------------------------------------------

    def _free_line(self, version: int, first: bytes | None = None) -> Line | None:
        """The first connection that may still be played to somebody, or the one whose first request this is."""
        for line in self._claimable.values():
            if line.version == version and line.requests and first in (None, line.requests[0]):
                return line
        return None

    def _claim(self, client: Client, line: Line) -> None:
        del self._claimable[line.number]
        client.line = line
        self._players[line.number] = client
        self._expected = max(0, self._expected - 1)

    def _leave_line(self, client: Client) -> None:
        if client.line is not None:
            self._players.pop(client.line.number, None)
            if not client.matched:
                self._claimable[client.line.number] = client.line
                self._claimable = dict(sorted(self._claimable.items()))
            client.line = None

    def _goes_on(self, client: Client, frame: bytes) -> bool:
        """Whether a request is what the recorded client sent next."""
        assert client.line is not None
        plain = plain_request(frame)
        if not client.matched and client.line.requests[0] != plain:
            other = self._free_line(client.version, plain)
            if other is None:
                return False
            self._leave_line(client)
            self._claim(client, other)
        place = len(client.matched)
        if place >= len(client.line.requests) or client.line.requests[place] != plain:
            return False
        client.matched.append(frame)
        return True

    def _deviate(self, client: Client, now_ns: int) -> list[str]:
        """Go on with channels: what the tape has confirmed is followed, what it has not yet is answered now."""
        confirmed, waiting = client.matched[: client.played], client.matched[client.played :]
        self._leave_line(client)
        for frame in confirmed:
            for wish in wishes_of(client.version, frame, now_ns):
                self._grant(client, wish)
        return [answer for frame in waiting for answer in self._answer(client, frame, now_ns)]

    def waits(self, record: TapeRecord) -> bool:
        """Whether a record must wait for a client: for a request that was recorded, or to come back."""
        if record.kind is Kind.FRAME_OUT:
            client = self._players.get(record.connection)
            return client is not None and client.played >= len(client.matched) and not is_ping(record.payload)
        if record.kind is Kind.OPENED and record.connection in self.survey.lines and self._expected:
            return self._await_line(self.survey.lines[record.connection])
        return False

    def _await_line(self, line: Line) -> bool:
        if line.number not in self._players:
            self._claimable.setdefault(line.number, line)
        return line.number not in self._players

    def give_up(self, record: TapeRecord, now_ns: int) -> Delivery | None:
        """Wait no longer: the client that did not ask goes on with channels, or nobody is expected any more."""
        client = self._players.get(record.connection)
        if client is None:
            self._expected = 0
            return None
        return Delivery(client, [frame.encode() for frame in self._deviate(client, now_ns)])

    # -- records -------------------------------------------------------------------------

    def take(self, record: TapeRecord) -> list[Delivery]:
        """Take the next record; return what is sent to whom, in order."""
        self.begun, self.position_ns = True, record.time_ns
        line = self.survey.lines.get(record.connection)
        if record.kind is Kind.MARK:
            return self._take_mark(record)
        if line is None:
            return []
        if record.kind is Kind.FRAME_IN:
            return self._take_frame(record, line)
        if record.kind is Kind.FRAME_OUT:
            self._take_request(record)
            return []
        return self._take_end(record, line) if record.kind is Kind.CLOSED else self._take_opening(line)

    def _take_mark(self, record: TapeRecord) -> list[Delivery]:
        if _is_loss(record.payload):
            for stream in self._streams.values():
                if record.connection in (0, stream.source):
                    stream.lose()
        return self._tell_clocks(record, "mark")

    def _take_opening(self, line: Line) -> list[Delivery]:
        if self._verbatim and line.number not in self._players:
            self._claimable.setdefault(line.number, line)
        return []

    def _take_request(self, record: TapeRecord) -> None:
        if is_ping(record.payload):
            return
        self._claimable.pop(record.connection, None)
        client = self._players.get(record.connection)
        if client is not None:
            client.played += 1

    def _take_end(self, record: TapeRecord, line: Line) -> list[Delivery]:
        self._claimable.pop(line.number, None)
        for stream in self._streams.values():
            if stream.source == line.number:
                stream.cut()
        deliveries = self._tell_clocks(record, "closed")
        client = self._players.pop(line.number, None)
        if client is not None:
            client.line = None
            self._expected += 1
            deliveries.append(Delivery(client, [], _close_code(record.payload)))
        return deliveries

    def _take_frame(self, record: TapeRecord, line: Line) -> list[Delivery]:
        label = label_of(line.version, record.payload)
        deliveries = []
        client = self._players.get(line.number)
        if client is not None:
            if client.greeted and record.payload == line.greeting:
                client.greeted = False
            else:
                deliveries.append(Delivery(client, [record.payload]))
        if label.channel in CHANNELS:
            deliveries += self._take_data(record, line, label)
        return deliveries

    def _take_data(self, record: TapeRecord, line: Line, label: Label) -> Iterator[Delivery]:
        sent: dict[Client, list[bytes]] = {}
        for symbol in label.symbols:
            stream = self._streams.get(StreamKey(line.version, label.channel, symbol, label.parameter))
            if stream is None or stream.source not in (None, line.number):
                continue
            stream.source = line.number
            stream.take(record, label)
            for (client, _), view in self._followers.get(stream, {}).items():
                sent.setdefault(client, []).extend(view.frames(record, label))
        for client, frames in sent.items():
            if frames:
                yield Delivery(client, _with_clock(frames, record) if client.clock else frames)

    def _tell_clocks(self, record: TapeRecord, what: str) -> list[Delivery]:
        frame = _clock(record, f',"{what}":{record.payload.decode() or "{}"}')
        return [Delivery(client, [frame]) for client in self.clients if client.clock]

    def end(self) -> list[Delivery]:
        """The tape is over: clients that are told its clock are told so."""
        return [Delivery(client, [b'{"channel":"tape","end":true}']) for client in self.clients if client.clock]

    def rewind(self, now_ns: int) -> list[Delivery]:
        """Begin again: who was played a recorded connection goes on with channels."""
        playing = [client for client in self.clients if client.line is not None]
        deliveries = [Delivery(client, [f.encode() for f in self._deviate(client, now_ns)]) for client in playing]
        for stream in self._streams.values():
            stream.cut()
        self._claimable.clear()
        self._verbatim, self._expected = False, 0
        return deliveries

    # -- channels ------------------------------------------------------------------------

    def _answer(self, client: Client, frame: bytes, now_ns: int) -> list[str]:
        wishes = wishes_of(client.version, frame, now_ns)
        if not wishes:
            return answers_of(client.version, frame, now_ns)
        replies: list[str] = []
        snapshots: list[str] = []
        for wish in wishes:
            reply, frames = self._end(client, wish) if wish.ends else self._grant(client, wish)
            replies.append(reply)
            snapshots += frames
        return replies + snapshots

    def _grant(self, client: Client, wish: Wish) -> tuple[str, list[str]]:
        wanted = wish.subscription
        stream = self._stream(client.version, wanted)
        if isinstance(stream, str):
            return wish.refuse(stream or f"Currency pair not supported {wish.written}"), []
        key = _key(client, wanted)
        if key in client.views and client.version == 2:
            return wish.refuse("Already subscribed"), []
        number = self._channel_id(client, stream, wanted)
        client.asked = True
        known = client.views.get(key)
        view = known[1] if known is not None else stream.view(client.version, wanted, number)
        client.views[key] = (wanted, view)
        self._followers.setdefault(stream, {})[client, key] = view
        return wish.confirm(wanted, number), [] if known is not None else view.first()

    def _channel_id(self, client: Client, stream: LiveStream, wanted: Subscription) -> int:
        """On version 1 the recorded id of a stream that is served as it is; an id of its own for another."""
        facts = stream.facts
        if facts.key.version == client.version == 1 and wanted.depth == facts.depth and facts.channel_id:
            return facts.channel_id
        return self._numbers.setdefault(
            (facts.key, wanted.channel, wanted.depth), self._first_number + len(self._numbers)
        )

    def _stream(self, version: int, wanted: Subscription) -> LiveStream | str:
        """The stream that serves a subscription; a text says why there is none, empty for an unknown symbol."""
        for spoken in (version, 3 - version):
            found = self._streams_for(spoken, wanted)
            if found:
                deep = [s for s in found if _reaches(s.facts, wanted)]
                return min(deep, key=lambda s: s.facts.depth or 0) if deep else "Subscription depth not supported"
        if version == 1 and wanted.channel == "spread":
            return self._stream(1, Subscription(channel="book", symbol=wanted.symbol, depth=10))
        return ""

    def _streams_for(self, version: int, wanted: Subscription) -> list[LiveStream]:
        if wanted.channel == "spread" and version == 2:
            return []
        return [
            stream
            for key, stream in self._streams.items()
            if (key.version, key.channel, key.symbol) == (version, wanted.channel, wanted.symbol)
            and (wanted.channel != "ohlc" or key.parameter == wanted.interval)
        ]

    def _end(self, client: Client, wish: Wish) -> tuple[str, list[str]]:
        wanted = wish.subscription
        key = _key(client, wanted)
        held = client.views.get(key)
        if held is None:
            known = wanted.symbol in self._symbols
            error = "Subscription Not Found" if known else f"Currency pair not supported {wish.written}"
            return wish.refuse(error), []
        subscription, view = held
        self._unfollow(client, key)
        return wish.confirm(subscription, self._channel_id(client, view.stream, subscription)), []

    def _unfollow(self, client: Client, key: _Key) -> None:
        _, view = client.views.pop(key)
        self._followers.get(view.stream, {}).pop((client, key), None)


def _reaches(facts: StreamFacts, wanted: Subscription) -> bool:
    """Whether a stream is deep enough: a smaller book is made of a larger one, single orders are told as recorded."""
    if wanted.channel == "level3":
        return facts.depth == wanted.depth
    return (facts.depth or 0) >= (wanted.depth or 0)


def _key(client: Client, subscription: Subscription) -> _Key:
    """What tells subscriptions of a client apart: version 1 has several books of a symbol at once."""
    parameter = subscription.interval if client.version == 2 else subscription.interval or subscription.depth
    return (subscription.channel, subscription.symbol, parameter)


def _clock(record: TapeRecord, more: str = "") -> bytes:
    return (
        f'{{"channel":"tape","time_ns":{record.time_ns},"sequence":{record.sequence}'
        f',"connection":{record.connection}{more}}}'
    ).encode()


def _with_clock(frames: list[bytes], record: TapeRecord) -> list[bytes]:
    clock = _clock(record)
    return [told for frame in frames for told in (clock, frame)]


class _Marked(msgspec.Struct):
    mark: str | None = None


def _is_loss(payload: bytes) -> bool:
    try:
        return msgspec.json.decode(payload, type=_Marked).mark == "lost"
    except ValueError:
        return False


class _Closed(msgspec.Struct):
    code: int | None = None


def _close_code(payload: bytes) -> int:
    try:
        code = msgspec.json.decode(payload, type=_Closed).code
    except ValueError:
        code = None
    return _ABNORMAL if code is None else code
