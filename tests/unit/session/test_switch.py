"""The dead man's switch: when it asks, what it makes of the answers, and that it is never wrong about the venue."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest
from tests.unit.venue.trading.desks import Floor

from krakenwire.errors import ConfigError
from krakenwire.model import Answer, CancelAllAfter, OrderRefused, Outcome, TimerSet, Unanswered
from krakenwire.session.switch import DeadMansSwitch

SECOND = 1_000_000_000
T0 = 1_800_000_000 * SECOND
AHEAD = 3_600 * SECOND
"""The venue's clock is this far ahead of ours."""

LIMITED = OrderRefused("EOrder:Domain rate limit exceeded")


class Owner:
    """Works a switch against answers that a test chooses; times are seconds since the beginning."""

    def __init__(self, timeout_s: int = 60, renew_s: float | None = 20, owner_s: float | None = None) -> None:
        self.switch = DeadMansSwitch(timeout_s, renew_s, owner_s)
        self.request: CancelAllAfter | None = None
        self.sent_ns = 0

    def at(self, seconds: float) -> int:
        return T0 + int(seconds * SECOND)

    def asked(self, seconds: float) -> int | None:
        """The timeout that is asked for at some time, None for no request."""
        request = self.switch.due(self.at(seconds))
        if request is None:
            return None
        self.request, self.sent_ns = request, self.at(seconds)
        return request.timeout_s

    def answer(self, seconds: float, answer: Answer | Unanswered, sent: bool = True) -> None:
        assert self.request is not None
        now_ns = self.at(seconds)
        outcome = Outcome(request=self.request, answers=(answer,), sent_ns=self.sent_ns if sent else None)
        self.switch.answered(outcome, now_ns)

    def yes(self, seconds: float, processed: float | None = None) -> None:
        """The venue takes what was asked, by its own clock."""
        assert self.request is not None
        at_ns = self.at(seconds if processed is None else processed) + AHEAD
        current_ns = -(-at_ns // SECOND) * SECOND
        trigger_ns = current_ns + self.request.timeout_s * SECOND if self.request.timeout_s else None
        self.answer(seconds, TimerSet(current_ns=current_ns, trigger_ns=trigger_ns))

    def armed(self) -> Owner:
        self.switch.arm(T0)
        assert self.asked(0) == 60
        self.yes(0.5)
        return self

    @property
    def deadline(self) -> float | None:
        deadline_ns = self.switch.next_deadline_ns()
        return None if deadline_ns is None else (deadline_ns - T0) / SECOND


def test_it_asks_at_once_when_it_is_to_be_armed_and_is_armed_by_a_yes() -> None:
    owner = Owner()
    assert (owner.asked(0), owner.switch.state, owner.deadline) == (None, "idle", None)
    owner.switch.arm(T0)
    assert (owner.switch.state, owner.deadline) == ("arming", 0)
    assert owner.asked(0) == 60
    assert owner.asked(0.1) is None, "one request at a time"
    owner.yes(0.5)
    assert (owner.switch.state, owner.switch.trigger_ns) == ("armed", owner.at(60)), "from when it was sent"


def test_it_is_renewed_in_time_and_each_renewal_starts_anew() -> None:
    owner = Owner().armed()
    for start in (20, 40, 60, 80):
        assert owner.deadline == start
        assert owner.asked(start - 0.1) is None
        assert owner.asked(start) == 60
        owner.yes(start + 0.2)
        assert owner.switch.trigger_ns == owner.at(start + 60)
    assert (owner.switch.state, owner.switch.fires) == ("armed", 0)


def test_without_renewals_it_is_doubtful_from_its_time_on_and_has_fired_when_it_must_have() -> None:
    owner = Owner(owner_s=5).armed()
    assert owner.asked(20) is None, "the owner is silent"
    assert owner.deadline == 60
    assert owner.switch.poll(owner.at(59.9)) == "armed"
    assert owner.switch.poll(owner.at(60)) == "doubtful"
    assert owner.deadline == 61.5
    assert owner.switch.poll(owner.at(61.5)) == "fired"
    assert (owner.switch.fires, owner.switch.fired_ns, owner.deadline) == (1, owner.at(60), None)
    owner.switch.alive(owner.at(70))
    assert owner.asked(70) is None, "what it cancelled is gone: it is for the owner to arm it again"
    owner.switch.arm(owner.at(71))
    assert owner.asked(71) == 60
    owner.yes(71.1)
    assert (owner.switch.state, owner.switch.fires) == ("armed", 1)


def test_unless_told_otherwise_it_is_renewed_when_a_third_of_its_time_is_over() -> None:
    owner = Owner(renew_s=None).armed()
    assert owner.deadline == 20


def test_the_shortest_times_are_taken() -> None:
    switch = DeadMansSwitch(1, 0.5)
    switch.arm(T0)
    assert switch.due(T0) == CancelAllAfter(timeout_s=1)


def test_an_owner_is_alive_until_its_time_is_over() -> None:
    owner = Owner(owner_s=20).armed()
    assert owner.asked(20) == 60
    owner.yes(20.1)
    assert owner.asked(40) is None


def test_an_owner_who_speaks_up_again_in_time_is_renewed() -> None:
    owner = Owner(owner_s=5).armed()
    assert owner.asked(30) is None
    owner.switch.alive(owner.at(31))
    assert owner.deadline == 20
    assert owner.asked(31) == 60


def test_a_request_that_nobody_answered_is_sent_again_and_both_times_may_hold() -> None:
    owner = Owner()
    owner.switch.arm(T0)
    owner.asked(0)
    owner.answer(10, Unanswered("no reply within 10 s"))
    assert (owner.switch.state, owner.switch.trigger_ns, owner.deadline) == ("doubtful", owner.at(60), 11)
    assert owner.asked(11) == 60
    owner.answer(21, Unanswered("no reply within 10 s"))
    assert owner.switch.trigger_ns == owner.at(60)
    assert owner.asked(22) == 60
    owner.yes(22.5)
    assert (owner.switch.state, owner.switch.trigger_ns) == ("armed", owner.at(82))


def test_after_the_line_was_lost_it_has_fired_when_the_last_request_that_may_have_arrived_must_have() -> None:
    owner = Owner().armed()
    owner.asked(20)
    owner.answer(25, Unanswered("the connection was lost"))
    assert owner.switch.poll(owner.at(60)) == "doubtful"
    assert owner.switch.poll(owner.at(85.9)) == "doubtful"
    assert owner.switch.poll(owner.at(86)) == "fired"
    assert owner.switch.fired_ns == owner.at(60)


def test_a_request_that_was_not_sent_changes_nothing() -> None:
    owner = Owner()
    owner.switch.arm(T0)
    owner.asked(0)
    owner.answer(0, Unanswered("no connection"), sent=False)
    assert (owner.switch.state, owner.switch.trigger_ns, owner.deadline) == ("arming", None, 1)


def test_a_refused_arming_leaves_it_idle_with_the_venues_words() -> None:
    owner = Owner()
    owner.switch.arm(T0)
    owner.asked(0)
    owner.answer(0.1, OrderRefused("EGeneral:Permission denied"))
    assert (owner.switch.state, owner.switch.error) == ("idle", "EGeneral:Permission denied")
    assert owner.deadline is None


def test_a_refused_renewal_leaves_it_armed_and_is_tried_again() -> None:
    owner = Owner().armed()
    owner.asked(20)
    owner.answer(20.5, LIMITED)
    assert (owner.switch.state, owner.switch.error, owner.switch.trigger_ns) == ("armed", LIMITED.error, owner.at(60))
    assert owner.asked(21.5) == 60
    owner.yes(21.6)
    assert (owner.switch.error, owner.switch.trigger_ns) == ("", owner.at(81.5))


def test_a_renewal_that_came_too_late_says_by_the_venues_clock_that_it_had_fired() -> None:
    for processed, fires in ((60.9, 0), (61.1, 1)):
        owner = Owner().armed()
        owner.asked(59)
        assert owner.switch.poll(owner.at(61.6)) == "doubtful", "the answer will tell"
        owner.yes(62, processed)
        assert (owner.switch.state, owner.switch.fires) == ("armed", fires)


def test_disarmed_by_a_yes_it_asks_no_more() -> None:
    owner = Owner().armed()
    owner.switch.disarm(owner.at(5))
    assert owner.deadline == 5
    assert owner.asked(5) == 0
    owner.yes(5.1)
    assert (owner.switch.state, owner.switch.trigger_ns, owner.deadline) == ("disarmed", None, None)
    owner.switch.disarm(owner.at(6))
    assert owner.asked(6) is None


def test_disarming_waits_for_what_is_under_way_and_is_repeated_until_somebody_knows() -> None:
    owner = Owner().armed()
    assert owner.asked(20) == 60
    owner.switch.disarm(owner.at(20.1))
    assert owner.asked(20.2) is None
    owner.yes(20.5)
    assert owner.asked(20.5) == 0
    owner.answer(30, Unanswered("no reply"))
    assert owner.switch.state == "doubtful"
    assert owner.asked(31) == 0
    owner.switch.arm(owner.at(31.1))
    owner.yes(31.2)
    assert owner.switch.state == "arming", "wanted again meanwhile"
    assert owner.asked(31.2) == 60


def test_disarming_what_has_fired_is_tried_once() -> None:
    owner = Owner(owner_s=5).armed()
    assert owner.switch.poll(owner.at(100)) == "fired"
    owner.switch.disarm(owner.at(101))
    assert owner.asked(101) == 0
    owner.answer(101.1, LIMITED)
    assert (owner.switch.state, owner.deadline) == ("fired", None)


def test_the_outcome_of_another_request_is_passed_over() -> None:
    owner = Owner()
    owner.switch.arm(T0)
    owner.asked(0)
    other = Outcome(request=CancelAllAfter(timeout_s=60), answers=(LIMITED,), sent_ns=T0)
    owner.switch.answered(other, owner.at(1))
    assert (owner.switch.state, owner.switch.error) == ("arming", "")


def test_a_yes_that_says_something_else_is_as_good_as_no_answer() -> None:
    owner = Owner().armed()
    owner.asked(20)
    owner.answer(20.5, TimerSet(current_ns=T0, trigger_ns=None))
    assert owner.switch.state == "doubtful"


@pytest.mark.parametrize(
    ("timeout_s", "renew_s", "owner_s"),
    [(0, None, None), (86_400, None, None), (60, 60, None), (60, 0, None), (60, None, 0)],
)
def test_times_that_make_no_sense_are_refused(timeout_s: int, renew_s: float | None, owner_s: float | None) -> None:
    with pytest.raises(ConfigError):
        DeadMansSwitch(timeout_s, renew_s, owner_s)


@pytest.mark.parametrize("seed", range(40))
def test_it_is_never_wrong_about_the_local_kraken_however_bad_the_line(seed: int) -> None:
    """Requests and replies that are late or lost: armed means armed, fired means fired."""
    floor, chance = Floor(), Random(seed)
    account = floor.account("ann", USD="10000")
    switch = DeadMansSwitch(8, 2.5)
    start_ns = floor.now_ns
    shift_ns = chance.randrange(SECOND)  # our clock is behind
    under_way: list[tuple[int, str, Outcome | CancelAllAfter]] = []
    sent_ns = deadline_ns = 0
    pending: CancelAllAfter | None = None
    seen = set()
    for step in range(4_000):
        floor.now_ns = start_ns + step * SECOND // 20
        now_ns = floor.now_ns - shift_ns
        floor.exchange.poll(floor.now_ns)
        if step % 500 == 0 and not account.open_orders:
            floor.place(account, "buy", "0.001", "10000.0")
        for item in [item for item in under_way if item[0] <= floor.now_ns]:
            under_way.remove(item)
            _, where, what = item
            if where == "venue":
                assert isinstance(what, CancelAllAfter)
                (answer,) = floor.ask(account, what)
                reply = Outcome(request=what, answers=(answer,), sent_ns=sent_ns)
                if chance.random() < 0.85:
                    under_way.append((floor.now_ns + chance.randrange(SECOND), "us", reply))
            elif pending is not None:
                assert isinstance(what, Outcome)
                if what.request is pending:
                    switch.answered(what, now_ns)
                    pending = None
        if pending is not None and now_ns >= deadline_ns:
            switch.answered(Outcome(request=pending, answers=(Unanswered("late"),), sent_ns=sent_ns), now_ns)
            pending = None
            # A reply that is given up must not be in doubt for ever: what has not arrived by now never does.
            under_way = [item for item in under_way if item[1] != "venue"]
        online = (step // 400) % 2 == 0
        if switch.state in ("idle", "fired", "disarmed") and online and chance.random() < 0.05:
            switch.arm(now_ns)
        request = switch.due(now_ns) if online and pending is None else None
        if request is not None:
            pending, sent_ns, deadline_ns = request, now_ns, now_ns + 3 * SECOND
            if chance.random() < 0.85:
                under_way.append((floor.now_ns + chance.randrange(SECOND), "venue", request))
        state = switch.poll(now_ns)
        seen.add(state)
        if state == "armed":
            assert account.timer_ns is not None
        elif state in ("fired", "idle"):
            assert account.timer_ns is None
    assert seen >= {"arming", "armed", "doubtful", "fired"}
    assert switch.fires
    assert floor.balance(account, "USD") == Decimal(10_000)
