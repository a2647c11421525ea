"""What a session does about orders: requests on their way, at the account's pace, each with an outcome.

A request waits here for the connection and for room in the venue's counter, is
sent once, and ends accepted, refused or unknown. It is sent a second time only
when the venue has refused it for its token, which proves that nothing came of
it. Next: `calls` for what is in flight, `pacer` for how fast, `account` for what
the account looks like, `switch` for the dead man's switch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeGuard

from krakenwire import limits
from krakenwire.errors import KrakenwireError, UsageError
from krakenwire.model import (
    AccountChanged,
    Added,
    AllCanceled,
    BalanceChanges,
    Balances,
    BatchCancel,
    BatchCanceled,
    Canceled,
    CancelOrders,
    Edited,
    Event,
    Executions,
    OrderRefused,
    OrderState,
    Outcome,
    Subscribed,
    SwitchFired,
    TradingReply,
    TradingRequest,
)
from krakenwire.model.rates import TIERS
from krakenwire.session.account import AccountState
from krakenwire.session.calls import Call, Calls
from krakenwire.session.lookup import Findings, Lookup
from krakenwire.session.pacer import Pacer
from krakenwire.session.switch import DeadMansSwitch

__all__ = ["EXECUTIONS", "SOURCES", "Encode", "Orders", "Pending", "is_token_refusal"]

Row = Callable[[Event, int], Sequence[Event]]
"""Takes an event of a session's and the time; returns what is handed on."""

Encode = Callable[[TradingRequest, str, int], str]
"""Writes a request with a token and a number as a frame."""

SOURCES: Final[Mapping[int, tuple[str, ...]]] = {1: ("openOrders", "ownTrades"), 2: ("executions", "balances")}
"""What each version tells of an account, by channel."""

EXECUTIONS: Final[Mapping[int, tuple[str, ...]]] = {1: SOURCES[1], 2: ("executions",)}
"""Those of them that tell of orders and fills."""

_LEAST: Final = TIERS["starter"].trading
"""What every account may do: until the venue has told the limit of this one."""

_SECOND: Final = 1_000_000_000
_TOKEN_REFUSALS: Final = ("ESession:Invalid session", "EAPI:Invalid token")
_NOT_SENT: Final = "not sent: "


def is_token_refusal(error: str) -> bool:
    """Whether a refusal says that another token is needed. Source: v2 reference, section 4."""
    return error in _TOKEN_REFUSALS


class Pending:
    """A request of a user's, from being asked for to its outcome.

    Attributes:
        request: what is asked for.
        deadline_ns: when its outcome is known at the latest.
        outcome: None until it is known.
    """

    __slots__ = ("_on_outcome", "deadline_ns", "outcome", "request", "retried", "timeout_s")

    def __init__(
        self, request: TradingRequest, now_ns: int, timeout_s: float, on_outcome: Callable[[Outcome], object] | None
    ) -> None:
        self.request, self.timeout_s = request, timeout_s
        self.deadline_ns = now_ns + int(timeout_s * _SECOND)
        self.outcome: Outcome | None = None
        self.retried = False
        self._on_outcome = on_outcome

    def settle(self, outcome: Outcome) -> None:
        """Set the outcome, once."""
        if self.outcome is None:
            self.outcome = outcome
            if self._on_outcome is not None:
                self._on_outcome(outcome)


class Orders:
    """Requests about orders on one connection, and the account's state.

    Args:
        version: of the API, 1 or 2.
        encode: writes requests as frames.
        req_ids: numbers, shared with everything else on the connection.
        paced: keep within the venue's counters; without, the venue refuses what is too fast.

    Attributes:
        account: open orders, fills and balances as told.
        lookup: what REST is asked for because nobody has told it.
        pacer: the venue's counters as far as we know them.
        switch: the dead man's switch, None when none is wanted.
        wants_token: the venue has refused the present token; nothing is sent until there is another.
    """

    def __init__(self, version: int, encode: Encode, req_ids: Iterator[int], *, paced: bool = True) -> None:
        self.account = AccountState(SOURCES[version])
        self.lookup = Lookup(self.account, EXECUTIONS[version])
        self.pacer = Pacer(_LEAST if paced else None)
        self._paced, self._limit_told = paced, not paced
        self.switch: DeadMansSwitch | None = None
        self.wants_token = False
        self._fires_told = 0
        self._unseen: dict[tuple[str, bool], int] = {}
        self._encode, self._req_ids = encode, req_ids
        self._calls = Calls(version)
        self._in_flight: dict[Call, Pending] = {}
        self._waiting: deque[Pending] = deque()
        self._paced_ns: int | None = None
        self._takes: Mapping[type, Callable[[Any, int], Sequence[Event]]] = {
            BalanceChanges: self._take_balances,
            Balances: self._take_balances,
            Executions: self._take_executions,
            Subscribed: self._take_subscribed,
            TradingReply: self._take_reply,
        }

    # -- asking ------------------------------------------------------------------

    def ask(
        self,
        request: TradingRequest,
        now_ns: int,
        timeout_s: float,
        on_outcome: Callable[[Outcome], object] | None = None,
    ) -> Pending:
        """Take a request; it is sent with the next `frames` that may send it.

        Args:
            request: as it is to be sent; checked before.
            now_ns: the time.
            timeout_s: until its outcome is known: unsent by then it is refused, unanswered it is unknown.
            on_outcome: called once with the outcome.

        Raises:
            UsageError: the version cannot say it, it can never be sent, or too many wait already.
        """
        self._encode(request, "", 0)
        if self._limit_told:
            self.pacer.wait_ns(request, now_ns)
        if len(self._waiting) >= limits.ORDERS_WAITING_MAX:
            raise UsageError("a request about orders", expected=f"at most {limits.ORDERS_WAITING_MAX} waiting")
        pending = Pending(request, now_ns, timeout_s, on_outcome)
        self._waiting.append(pending)
        return pending

    def serve(self, switch: DeadMansSwitch | None) -> None:
        """Work a dead man's switch from now on, None for none."""
        self.switch = switch
        self._fires_told = 0 if switch is None else switch.fires

    def frames(self, token: str, now_ns: int) -> Iterable[str]:
        """Yield what may be sent now, in the order in which it was asked for; what the pace holds back waits."""
        self._paced_ns = None
        renewal = None if self.switch is None else self.switch.due(now_ns)
        if renewal is not None:
            yield self._send(Pending(renewal, now_ns, limits.REPLY_TIMEOUT_S, self._renewed), token, now_ns)
        while self._waiting:
            pending = self._waiting[0]
            try:
                wait_ns = self.pacer.wait_ns(pending.request, now_ns)
            except UsageError as error:
                if not self._limit_told:
                    self._paced_ns = pending.deadline_ns
                    return  # it may be more than the least
                self._unsent(self._waiting.popleft(), str(error), now_ns)
                continue
            if wait_ns > 0:
                self._paced_ns = now_ns + wait_ns
                return
            self._waiting.popleft()
            yield self._send(pending, token, now_ns)

    def _send(self, pending: Pending, token: str, now_ns: int) -> str:
        req_id = next(self._req_ids)
        left_s = max(0.0, (pending.deadline_ns - now_ns) / _SECOND)
        self._in_flight[self._calls.open(pending.request, req_id, now_ns, left_s)] = pending
        self.pacer.sent(pending.request, now_ns)
        return self._encode(pending.request, token, req_id)

    # -- what happened -------------------------------------------------------------

    def rows(self, below: Mapping[type, Row]) -> dict[type, Row]:
        """Return what takes the events of a session in place of its own rows, which are asked first."""

        def seen(take: Callable[[Any, int], Sequence[Event]], kind: type) -> Row:
            lower = below.get(kind)

            def row(event: Event, now_ns: int) -> Sequence[Event]:
                out = (event,) if lower is None else lower(event, now_ns)
                return (*out, *take(event, now_ns))

            return row

        return {kind: seen(take, kind) for kind, take in self._takes.items()}

    def _take_reply(self, reply: TradingReply, now_ns: int) -> Sequence[Event]:
        call = self._calls.take(reply, now_ns)
        if call is not None and call.outcome is not None:
            self._ended(call, now_ns)
        return self._news()

    def _take_balances(self, event: Balances | BalanceChanges, now_ns: int) -> Sequence[Event]:
        del now_ns
        self.account.feed(event)
        return ()

    def _take_executions(self, event: Executions, now_ns: int) -> Sequence[Event]:
        """What it changes is told beside it; the fills before our time are no news."""
        begins = self.account.step(event.source) == "waiting"
        changes = self.account.feed(event)
        self.pacer.heard(event, now_ns)
        if begins:
            changes = tuple(change for change in changes if isinstance(change, OrderState))
        return (AccountChanged(changes=changes),) if changes else ()

    def _take_subscribed(self, event: Subscribed, now_ns: int) -> Sequence[Event]:
        if event.maxratecount is not None and self._paced:
            self.pacer.limit_told(event.maxratecount, now_ns)
            self._limit_told = True
        return ()

    def looked_up(self, findings: Findings | None, error: KrakenwireError | None, now_ns: int) -> Sequence[Event]:
        """Take in what REST says of the account; return what of it is new.

        Args:
            findings: its answer, None when there is none.
            error: why not.
            now_ns: the time.
        """
        if findings is None:
            if error is not None:
                self.lookup.failed(error, now_ns)
            return ()
        changes = self.lookup.found(findings, now_ns)
        return (AccountChanged(changes=changes),) if changes else ()

    def lost(self, reason: str, now_ns: int) -> None:
        """The connection is gone: what was in flight is unknown, what waits goes on waiting."""
        self.account.disconnected()
        for call in self._calls.lost(reason, now_ns):
            self._ended(call, now_ns)

    def give_up(self, reason: str, now_ns: int) -> None:
        """No connection will come any more: what waits is not sent."""
        self.lost(reason, now_ns)
        while self._waiting:
            self._unsent(self._waiting.popleft(), reason, now_ns)

    def poll(self, now_ns: int) -> Sequence[Event]:
        """End what has run out of time; return what is to be told."""
        for call in self._calls.due(now_ns):
            self._ended(call, now_ns)
        late = [pending for pending in self._waiting if pending.deadline_ns <= now_ns]
        for pending in late:
            self._waiting.remove(pending)
            held = "the venue's rate limit left no room for it in time"
            self._unsent(pending, held if self._paced_ns else "no connection in time", now_ns)
        if self.switch is not None:
            self.switch.poll(now_ns)
        self._unseen = {what: until_ns for what, until_ns in self._unseen.items() if until_ns > now_ns}
        return self._news()

    def next_deadline_ns(self, now_ns: int, sendable: bool) -> int | None:
        """Return when to `poll` or to ask for `frames` next, None when only an event can change anything.

        Args:
            now_ns: the time.
            sendable: whether `frames` may be asked for now.
        """
        due = [self._calls.next_deadline_ns(), self._paced_ns if sendable else None, self._switch_ns(now_ns, sendable)]
        due += [pending.deadline_ns for pending in self._waiting]
        due += self._unseen.values()
        due.append(self.lookup.next_deadline_ns() if sendable else None)
        return min((ns for ns in due if ns is not None), default=None)

    def _switch_ns(self, now_ns: int, sendable: bool) -> int | None:
        """When the switch is to be looked at: a renewal that cannot be sent waits for the connection."""
        if self.switch is None:
            return None
        due_ns = self.switch.next_deadline_ns()
        if sendable or due_ns is None or due_ns > now_ns:
            return due_ns
        trigger_ns = self.switch.trigger_ns
        return trigger_ns if trigger_ns is not None and trigger_ns > now_ns else now_ns + _SECOND

    def behind(self) -> bool:
        """Whether the account does not show yet what an answer has said: the two race each other."""
        account = self.account
        for order_id, ended in tuple(self._unseen):
            is_open = order_id in account.open_orders
            if (not is_open) if ended else (is_open or order_id in account.closed_orders):
                del self._unseen[order_id, ended]
        return bool(self._unseen)

    def _news(self) -> Sequence[Event]:
        news: list[Event] = []
        switch = self.switch
        if switch is not None and switch.fires != self._fires_told:
            self._fires_told = switch.fires
            news.append(SwitchFired(fired_ns=switch.fired_ns))
        return news

    def _ended(self, call: Call, now_ns: int) -> None:
        """Pass an outcome on; what was refused for its token waits for another one."""
        pending = self._in_flight.pop(call)
        outcome = call.outcome
        assert outcome is not None
        if outcome.refused and is_token_refusal(outcome.error) and not pending.retried:
            pending.retried = True
            self._waiting.insert(sum(waiting.retried for waiting in self._waiting), pending)
            self.wants_token = True
            return
        self.pacer.answered(outcome, now_ns)
        until_ns = now_ns + int(limits.ACCOUNT_LAG_S * _SECOND)
        self._unseen |= dict.fromkeys(_consequences(outcome, self.account.open_orders), until_ns)
        pending.settle(outcome)

    def _unsent(self, pending: Pending, reason: str, now_ns: int) -> None:
        pending.settle(
            Outcome(request=pending.request, answers=(OrderRefused(_NOT_SENT + reason),), answered_ns=now_ns)
        )

    def _renewed(self, outcome: Outcome) -> None:
        if self.switch is not None and outcome.answered_ns is not None:
            self.switch.answered(outcome, outcome.answered_ns)


def _consequences(outcome: Outcome, open_ids: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield the orders that an outcome says are there, or have ended (True).

    Args:
        outcome: what came of a request.
        open_ids: the orders that are open as far as was told.
    """
    request = outcome.request
    for answer in outcome.answers:
        if isinstance(answer, Added | Edited) and answer.order_id:
            yield answer.order_id, False
        elif isinstance(answer, AllCanceled):
            yield from ((order_id, True) for order_id in open_ids)
        elif isinstance(answer, BatchCanceled) and _all_canceled(request, answer.count):
            yield from ((order_id, True) for order_id in request.order_ids)
    if isinstance(request, CancelOrders):
        for order_id, answer in zip(request.order_ids, outcome.answers, strict=False):
            if isinstance(answer, Canceled):
                yield order_id, True


def _all_canceled(request: TradingRequest, count: int) -> TypeGuard[BatchCancel]:
    """Whether a batch named so many orders, all by their ids; of fewer nobody knows which they were."""
    return isinstance(request, BatchCancel) and not request.cl_ord_ids and count == len(request.order_ids)
