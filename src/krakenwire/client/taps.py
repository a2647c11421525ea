"""Connections and streams of a client, seen from the side that does not wait.

A `Line` is one connection, a `Tap` is what one stream of a user reads from: a
hub's stream, or one on each connection for what concerns them all. `core`
makes both; each client style waits in its own way when a tap is dry.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol, TypedDict

from krakenwire.client.clock import now_ns
from krakenwire.errors import ConnectError, KrakenwireError
from krakenwire.model import Refused
from krakenwire.model.secrets import Secret
from krakenwire.model.subscription import one_of
from krakenwire.session.feed import Feed
from krakenwire.session.hub import Hub
from krakenwire.session.lookup import Findings, Missing
from krakenwire.session.streams import KINDS, Stream, StreamItem

__all__ = ["CONFLATED", "Awaited", "How", "Line", "Parameters", "PolicyName", "Tap", "kind_of"]

PolicyName = Literal["block", "conflate", "drop"]

CONFLATED: Final = ("books", "level3", "spread", "ticker")
"""Streams of states: the latest is what counts, so it is what a slow consumer gets by default."""

_KIND_BY_CHANNEL: Final = {"book": "books", "instrument": "instruments", "spreads": "spread", "trade": "trades"}


class How(TypedDict, total=False):
    """Keyword arguments of every stream.

    Args:
        timeout: seconds to wait for one item before `WaitTimeout`; None waits for ever.
        policy: ``block``, ``conflate`` or ``drop``: what a slow consumer gets. With
            ``drop`` a `Gap` comes in place of the items dropped.
        queue: items that may wait before the policy decides.
        snapshot: whether a snapshot is wanted first; None for the channel's default.
        notices: also yield `Gap`, `Resynced`, `Refused` and `ChecksumFailed` of this stream.
    """

    timeout: float | None
    policy: PolicyName | None
    queue: int
    snapshot: bool | None
    notices: bool


class Parameters(TypedDict, total=False):
    """Parameters some channels have, for the generic way to open a stream."""

    depth: int | None
    interval: int | None
    event_trigger: str | None


def kind_of(channel: str) -> str:
    """Return the kind of stream for a channel's name, the wire's or ours.

    Raises:
        UsageError: there is no such channel.
    """
    kind = _KIND_BY_CHANNEL.get(channel, channel)
    one_of("channel", kind, KINDS)
    return kind


class Line:
    """One connection of a client, seen from the side that does not wait.

    Attributes:
        name: ``public``, ``private`` or ``level3``.
        hub, feed: its streams and session, and what decodes for them.
        url, context, hint: what a transport needs to open it.

    Args:
        look_up: asks REST for what the connection has missed of its account; None where it has none.
    """

    def __init__(
        self,
        name: str,
        hub: Hub,
        feed: Feed,
        context: ssl.SSLContext,
        hint: str,
        token: Secret | None,
        look_up: Callable[[Missing], Findings] | None = None,
    ) -> None:
        self.name, self.hub, self.feed, self.context, self.hint = name, hub, feed, context, hint
        self.url = hub.session.config.url
        self._token, self._look_up = token, look_up

    @property
    def needs_token(self) -> bool:
        """Whether `token` has to be asked, which may take its time."""
        return self._token is not None

    def token(self) -> str | None:
        """Return the token for a connection that is about to open; a user's callable may take its time.

        Raises:
            ConnectError: the callable failed.
            KrakenwireError: the venue gives none, or cannot be asked.
        """
        if self._token is None:
            return None
        try:
            return self._token.reveal()
        except KrakenwireError:
            raise
        except Exception as error:  # noqa: BLE001 - a user's callable may raise anything
            # the cause is not chained: its text may hold what must not be shown
            reason = f"the token could not be fetched ({type(error).__name__})"
            raise ConnectError(self.url, reason) from None

    def look_up(self, missing: Missing) -> Findings:
        """Return what REST says of what was missed; several calls, which may take their time.

        Raises:
            KrakenwireError: it does not say.
        """
        assert self._look_up is not None
        return self._look_up(missing)


class Awaited(Protocol):
    """What a style can wait for: a tap, or the answer to a request."""

    @property
    def ready(self) -> bool:
        """Whether waiting is over."""

    @property
    def parts(self) -> Sequence[tuple[Line, object]]:
        """The connections it comes by."""


class Tap:
    """What one stream of a user reads from; not safe to share between threads.

    Args:
        kind: one of `krakenwire.session.streams.KINDS`.
        parameters: those of its channel.
        opened: opens its stream on a connection.
        line: the first connection.
    """

    def __init__(self, kind: str, parameters: Parameters, opened: Callable[[Line], Stream], line: Line) -> None:
        self.kind, self.parameters = kind, parameters
        self._opened = opened
        self.parts: list[tuple[Line, Stream]] = [(line, opened(line))]

    def join(self, line: Line) -> None:
        """Read from one more connection."""
        if not self.ended:
            self.parts.append((line, self._opened(line)))

    def take(self) -> StreamItem | None:
        """Return the next item, None when nothing waits."""
        for _, stream in self.parts:
            item = stream.take()
            if item is not None:
                if len(self.parts) > 1:
                    self.parts.append(self.parts.pop(0))
                return item
        return None

    @property
    def ready(self) -> bool:
        """Whether `take` may have something, or nothing will ever come."""
        return any(len(stream) for _, stream in self.parts) or self.ended

    @property
    def full(self) -> bool:
        """Whether a connection waits for its consumer."""
        return any(stream.full for _, stream in self.parts)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come; what waits can still be taken."""
        return all(stream.ended for _, stream in self.parts)

    @property
    def error(self) -> KrakenwireError | None:
        """Why it ended, None for a clean end."""
        return next((stream.error for _, stream in self.parts if stream.error is not None), None)

    @property
    def url(self) -> str:
        """The address it reads from."""
        return self.parts[0][0].url

    @property
    def dropped(self) -> int:
        """Items given up under the policy ``drop``."""
        return sum(stream.dropped for _, stream in self.parts)

    @property
    def gaps(self) -> int:
        """Gaps of its subscriptions so far."""
        return sum(stream.gaps for _, stream in self.parts)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Its symbols now, in v2 spelling."""
        return tuple(name for _, stream in self.parts for name in stream.subscriptions if name is not None)

    @property
    def refused(self) -> dict[str, Refused]:
        """Refusals by symbol, as long as they stand."""
        found = (row for _, stream in self.parts for row in stream.refused.items())
        return {name: refusal for name, refusal in found if name is not None}

    def add(self, symbols: tuple[str, ...]) -> None:
        """Add symbols. Raises: UsageError, SymbolError: see `Hub.add_symbols`."""
        line, stream = self.parts[0]
        line.hub.add_symbols(stream, symbols, now_ns())

    def remove(self, symbols: tuple[str, ...]) -> None:
        """Take symbols out. Raises: SymbolError: see `Hub.remove_symbols`."""
        line, stream = self.parts[0]
        line.hub.remove_symbols(stream, symbols, now_ns())

    def close(self) -> None:
        """End it; what nobody else needs is unsubscribed."""
        for line, stream in self.parts:
            line.hub.close_stream(stream, now_ns())
