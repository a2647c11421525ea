"""The wire subscriptions of one session: wanted, in flight, confirmed, failed.

Each key is a small state machine; `_next_move` decides all of it. It sends
nothing itself: `to_send` says what to ask for, replies come back through
`confirmed`, `ended` and `refused`. While a request is in flight nothing else is
sent for its key; when its reply is there the key moves on to what is wanted by
then, so that every order of asking and answering ends the same.
Source: v2 reference, section 5; v1 reference, section 6.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

from krakenwire import limits
from krakenwire.model import Refused, Subscribed, Subscription, SubscriptionKey, Unsubscribed
from krakenwire.protocol.requests import Request
from krakenwire.session.lane import Lane

__all__ = ["Entry", "Ledger", "State", "is_already", "is_not_found"]

State = Literal["absent", "subscribing", "confirmed", "unsubscribing", "failed"]

_IN_FLIGHT = ("subscribing", "unsubscribing")
_ALREADY = "already subscribed"
_NOT_FOUND = "subscription not found"


class Entry:
    """One wire subscription.

    Attributes:
        target: what is wanted under this key, None when nothing is.
        actual: the parameters that were asked for last.
        faces: the wanted subscriptions it serves.
        state: see `State`.
        renew: subscribe again although it is confirmed.
        not_before_ns: earliest time of the next subscribe or renewal.
        sent_ns, sends: when the request in flight was sent last, and how often.
        refusal: why it failed.
        unknown: it failed without an answer, so the venue may have it all the same.
        confirmed_ns: when it was confirmed.
        has_snapshot: whether data came since it was confirmed.
        strikes: renewals for silence without an update since.
        lane: what its data may pass by on, with `calm` and `heard_ns`.
        renewals: times of the latest renewals.
    """

    __slots__ = (
        "actual",
        "confirmed_ns",
        "faces",
        "has_snapshot",
        "key",
        "lane",
        "not_before_ns",
        "refusal",
        "renew",
        "renewals",
        "req_ids",
        "sends",
        "sent_ns",
        "state",
        "strikes",
        "target",
        "unknown",
    )

    def __init__(self, key: SubscriptionKey, renewals_kept: int, lane: Lane) -> None:
        self.key = key
        self.lane = lane
        self.target: Subscription | None = None
        self.faces: tuple[Subscription, ...] = ()
        self.strikes = 0
        self.renewals: deque[int] = deque(maxlen=renewals_kept)
        self.forget()

    def forget(self) -> None:
        """Start over on a new connection."""
        self.state: State = "absent"
        self.actual: Subscription | None = None
        self.refusal: Refused | None = None
        self.renew = self.unknown = False
        self.not_before_ns = 0
        self.req_ids: tuple[int, ...] = ()
        self.sent_ns = 0
        self.sends = 0
        self.confirmed_ns = 0
        self.has_snapshot = False
        self.calm = False

    @property
    def calm(self) -> bool:
        """Whether nothing but plain data is due: the next message needs no second look."""
        return self.lane.calm

    @calm.setter
    def calm(self, calm: bool) -> None:
        self.lane.calm = calm

    @property
    def heard_ns(self) -> int:
        """When its last data came."""
        return self.lane.heard_ns

    @heard_ns.setter
    def heard_ns(self, heard_ns: int) -> None:
        self.lane.heard_ns = heard_ns

    @property
    def in_flight(self) -> bool:
        """Whether a reply is due."""
        return self.state in _IN_FLIGHT

    def settle(self, state: State) -> None:
        """A reply came, or is no longer waited for."""
        self.state = state
        self.req_ids = ()
        self.sends = 0
        self.unknown = False


class Ledger:
    """All wire subscriptions of one session, by key.

    Args:
        renewals_kept: how many renewals of one entry are remembered for its rate limit.
        lane_of: makes the lane of a channel and symbol.
    """

    def __init__(self, renewals_kept: int, lane_of: Callable[[str, str | None], Lane]) -> None:
        self._renewals_kept = renewals_kept
        self._lane_of = lane_of
        self.entries: dict[SubscriptionKey, Entry] = {}
        self._dirty: dict[SubscriptionKey, None] = {}
        self._again: dict[SubscriptionKey, None] = {}
        self._requests: dict[int, tuple[SubscriptionKey, ...]] = {}

    @property
    def changed(self) -> tuple[SubscriptionKey, ...]:
        """Keys that changed since the last `to_send`: their deadlines may have moved."""
        return (*self._dirty, *self._again) if self._dirty or self._again else ()

    @property
    def any_active(self) -> bool:
        """Whether the venue has, or may have, a subscription of ours."""
        return any(entry.state not in ("absent", "failed") for entry in self.entries.values())

    def want(self, key: SubscriptionKey, target: Subscription | None, faces: tuple[Subscription, ...]) -> None:
        """Set what is wanted under a key."""
        entry = self.entries.get(key)
        if entry is None:
            if target is None:
                return
            entry = self._entered(key)
        entry.target, entry.faces, entry.calm = target, faces, False
        self.touch(entry)

    def touch(self, entry: Entry) -> None:
        """Look at an entry in the next `to_send`; one that is gone and unwanted is dropped."""
        if entry.target is None and entry.state in ("absent", "failed") and not entry.unknown:
            self.entries.pop(entry.key, None)
            self._dirty.pop(entry.key, None)
            self._again.pop(entry.key, None)
        else:
            self._dirty[entry.key] = None

    def restart(self) -> None:
        """The connection is gone: everything wanted is to be asked for on the next one."""
        self._requests.clear()
        self._again.clear()
        self._dirty.clear()
        for entry in list(self.entries.values()):
            entry.forget()
            self.touch(entry)

    def to_send(self, now_ns: int) -> tuple[list[Subscription], list[Subscription]]:
        """Return what to subscribe and what to unsubscribe now, and count it as in flight."""
        subscribe: list[Subscription] = []
        unsubscribe: list[Subscription] = []
        for key in self._dirty:
            entry = self.entries[key]
            move = _next_move(entry, now_ns)
            if move == "subscribe" and entry.target is not None:
                entry.actual = entry.target
                entry.refusal = None
                subscribe.append(entry.actual)
            elif move == "unsubscribe" and entry.actual is not None:
                unsubscribe.append(entry.actual)
            if move is not None:
                entry.settle("subscribing" if move == "subscribe" else "unsubscribing")
        self._dirty.clear()
        for key in self._again:
            entry = self.entries[key]
            if entry.in_flight and entry.actual is not None:
                (subscribe if entry.state == "subscribing" else unsubscribe).append(entry.actual)
        self._again.clear()
        return subscribe, unsubscribe

    def again(self, entry: Entry) -> None:
        """Send the request in flight once more."""
        self._again[entry.key] = None

    def sent(self, request: Request, now_ns: int) -> None:
        """Note a request that is being sent: replies to it are due."""
        self._requests[request.req_id] = tuple(sub.key for sub in request.subscriptions)
        if len(self._requests) > limits.REQUESTS_KEPT:
            del self._requests[next(iter(self._requests))]
        for sub in request.subscriptions:
            entry = self.entries[sub.key]
            entry.req_ids = (*entry.req_ids, request.req_id)[-2:]
            entry.sent_ns = now_ns
            entry.sends += 1

    # -- replies -------------------------------------------------------------

    def confirmed(self, reply: Subscribed, now_ns: int) -> Entry | None:
        """Take a confirmation; return its entry, None when nothing waited for it."""
        entry = self.entries.get(reply.subscription.key)
        if entry is None:
            return self._foreign(reply)
        if entry.in_flight and not _answers(entry, "subscribing", reply.req_id):
            return None
        if entry.state == "confirmed":
            return None
        return self.confirm(entry, now_ns)

    def confirm(self, entry: Entry, now_ns: int) -> Entry:
        """The venue has this subscription."""
        if entry.actual is None:
            entry.actual = entry.target
        entry.settle("confirmed")
        entry.refusal = None
        entry.confirmed_ns = entry.heard_ns = now_ns
        self.touch(entry)
        return entry

    def ended(self, reply: Unsubscribed) -> Entry | None:
        """Take the end of a subscription, asked for or not; return its entry, None for a late reply."""
        entry = self.entries.get(reply.subscription.key)
        if entry is None or entry.state in ("absent", "failed"):
            return None
        if entry.in_flight and not _answers(entry, "unsubscribing", reply.req_id):
            return None
        self.gone(entry)
        return entry

    def gone(self, entry: Entry) -> None:
        """The venue does not have this subscription (any more)."""
        entry.settle("absent")
        entry.renew = entry.has_snapshot = entry.calm = False
        self.touch(entry)

    def fail(self, entry: Entry, refusal: Refused, unknown: bool = False) -> None:
        """The subscription was refused, or not answered: so it stays on this connection unless asked for otherwise."""
        entry.settle("failed")
        entry.unknown = unknown
        entry.renew = entry.calm = False
        entry.refusal = refusal
        self.touch(entry)

    def knows(self, req_id: int | None) -> bool:
        """Whether a request with this id was sent on this connection."""
        return req_id in self._requests

    def refused(self, reply: Refused) -> list[Entry]:
        """Return the entries that a refusal answers, by `req_id` and symbol as far as it names them."""
        if reply.req_id is not None:
            keys = self._requests.get(reply.req_id, ())
            found = [self.entries[key] for key in keys if key in self.entries]
            found = [entry for entry in found if reply.req_id in entry.req_ids or entry.unknown]
            named = [entry for entry in found if entry.key[1] == reply.symbol]
            return found if reply.symbol is None or (not named and len(keys) == 1) else named
        if reply.symbol is None:
            return []
        waiting = [entry for entry in self.entries.values() if entry.in_flight and entry.key[1] == reply.symbol]
        fitting = [entry for entry in waiting if _fits(entry, reply)]
        return sorted(fitting, key=lambda entry: entry.sent_ns)[:1]

    def _entered(self, key: SubscriptionKey) -> Entry:
        entry = self.entries[key] = Entry(key, self._renewals_kept, self._lane_of(key[0], key[1]))
        return entry

    def ruffle(self) -> None:
        """Let nothing pass by any more: the connection is ending."""
        for entry in self.entries.values():
            entry.calm = False

    def _foreign(self, reply: Subscribed) -> Entry | None:
        """A late confirmation of what we asked for and want no more: take it, so that it is ended."""
        sub = reply.subscription
        if reply.req_id is None or sub.key not in self._requests.get(reply.req_id, ()):
            return None
        entry = self._entered(sub.key)
        entry.actual = sub
        entry.settle("confirmed")
        self.touch(entry)
        return entry


def _next_move(entry: Entry, now_ns: int) -> Literal["subscribe", "unsubscribe"] | None:
    """What brings an entry closer to what is wanted."""
    if entry.state == "absent":
        return "subscribe" if entry.target is not None and now_ns >= entry.not_before_ns else None
    if entry.state == "failed" and _differ(entry):
        return "unsubscribe" if entry.unknown else "subscribe"
    if entry.state == "confirmed":
        renew = entry.renew and now_ns >= entry.not_before_ns
        return "unsubscribe" if entry.target is None or renew or _differ(entry) else None
    return None


def _differ(entry: Entry) -> bool:
    """Whether the wanted parameters are not those that were asked for; a snapshot cannot be asked for later."""
    wanted, actual = entry.target, entry.actual
    return (
        wanted is None or actual is None or (wanted.depth, wanted.event_trigger) != (actual.depth, actual.event_trigger)
    )


def _answers(entry: Entry, state: State, req_id: int | None) -> bool:
    return entry.state == state and (req_id is None or req_id in entry.req_ids)


def _fits(entry: Entry, reply: Refused) -> bool:
    """Whether a refusal without `req_id` can be about this entry's request."""
    if reply.channel_name is not None and reply.channel_name != entry.key[0]:
        return False
    if is_not_found(reply):
        return entry.state == "unsubscribing"
    return entry.state == ("unsubscribing" if reply.method == "unsubscribe" else "subscribing")


def is_already(reply: Refused) -> bool:
    """Whether a refusal says that the venue has the subscription."""
    return reply.error.lower().startswith(_ALREADY)


def is_not_found(reply: Refused) -> bool:
    """Whether a refusal says that the venue does not have it; its method then reads `subscribe` on v2."""
    return reply.error.lower().startswith(_NOT_FOUND)
