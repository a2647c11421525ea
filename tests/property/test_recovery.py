"""Recovery is a fold: from any prefix, however often records come, and whatever order the evidence comes in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.trading.journal_scene import HEAD, NOON, SECOND, ack, ended, fill, intended, name_of, refused, unknown
from tests.unit.trading.test_reconcile import PATIENCE, state, told, traded

from krakenwire.trading import records
from krakenwire.trading.reconcile import reconcile
from krakenwire.trading.records import Record
from krakenwire.trading.recovery import Recovered, recover
from krakenwire.trading.stops import StopLevel

NUMBERS = st.integers(1, 4)
QTYS = st.sampled_from(["0.1", "0.25", "1"])


def _resolved(number: int, accepted: bool) -> records.Resolved:
    order_id = f"O-{number}" if accepted else ""
    return records.Resolved(time_ns=NOON, id=name_of(number), accepted=accepted, evidence="REST", order_id=order_id)


def _fill(number: int, order: int, qty: str) -> records.Filled:
    return fill(order, f"T-{number}", qty, side="buy" if number % 2 else "sell")


RECORDS: st.SearchStrategy[Record] = st.one_of(
    st.builds(intended, NUMBERS),
    st.builds(ack, NUMBERS),
    st.builds(unknown, NUMBERS),
    st.builds(refused, NUMBERS),
    st.builds(_resolved, NUMBERS, st.booleans()),
    st.builds(lambda n, at: records.Absent(time_ns=NOON + at, id=name_of(n)), NUMBERS, st.integers(0, 3)),
    st.builds(_fill, st.integers(1, 6), NUMBERS, st.just("0.1")),
    st.builds(ended, NUMBERS, st.sampled_from(["filled", "canceled", "expired"])),
    st.builds(
        lambda n, k: records.AmendIntended(time_ns=NOON, id=name_of(n), number=k, limit=Decimal(100 + k)),
        NUMBERS,
        st.integers(1, 3),
    ),
    st.builds(
        lambda n, k, o: records.AmendEnded(time_ns=NOON, id=name_of(n), number=k, outcome=o),
        NUMBERS,
        st.integers(1, 3),
        st.sampled_from(["accepted", "refused", "unknown"]),
    ),
    st.builds(lambda n: records.CancelIntended(time_ns=NOON, id=name_of(n)), NUMBERS),
    st.builds(
        lambda level: records.Stopped(time_ns=NOON, level=level, reason="r", who="bot"),
        st.sampled_from(list(StopLevel)),
    ),
    st.just(records.Resumed(time_ns=NOON, who="ann")),
    st.builds(lambda at: records.Baseline(time_ns=NOON + at, balances={"USD": Decimal(at)}), st.integers(0, 2)),
    st.builds(lambda n: records.StateSaved(time_ns=NOON, state={"n": n}), NUMBERS),
)
JOURNALS = st.lists(RECORDS, max_size=40).map(lambda written: [HEAD, *written])


@given(JOURNALS, st.data())
def test_the_same_comes_of_it_from_any_prefix_and_over_the_disk(written: list[Record], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(written)))
    known = recover(records.decode(records.encode(record), "here") for record in written[:cut])
    for record in written[cut:]:
        known.apply(record)
    assert known == recover(written)


@given(JOURNALS)
def test_a_record_that_comes_twice_changes_nothing(written: list[Record]) -> None:
    assert recover(record for record in written for _ in range(2)) == recover(written)


@given(JOURNALS)
def test_what_is_over_stays_over_and_money_is_the_sum_of_the_fills(written: list[Record]) -> None:
    known, over = Recovered(), dict[str, str]()
    for record in written:
        known.apply(record)
        for order in known.orders.values():
            assert (order.id in known.open) == order.is_live
            assert order.step == over.get(order.id, order.step)
            if not order.is_live:
                over[order.id] = order.step
    fills = {record.exec_id: record for record in reversed(written) if isinstance(record, records.Filled)}
    assert known.exec_ids == set(fills)
    total = sum((one.qty if one.side == "buy" else -one.qty for one in fills.values()), Decimal(0))
    assert sum(known.positions.values(), Decimal(0)) == total


TRUTHS = st.lists(
    st.tuples(
        st.sampled_from(["never", "open", "canceled", "filled"]),
        st.integers(0, 3),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@given(TRUTHS, st.data())
def test_whatever_the_bot_knew_and_in_whatever_pieces_it_is_told_it_ends_with_the_venues_truth(
    truths: list[Any], data: st.DataObject
) -> None:
    """The venue's truth of each order: what became of it, how many fills; what the bot had heard: an ack, the fills."""
    written: list[Record] = [HEAD]
    facts: list[Any] = []
    expected: dict[str, tuple[str, Decimal]] = {}
    for number, (fate, count, heard, saw) in enumerate(truths, 1):
        written.append(intended(number))
        fills = 0 if fate == "never" else 4 if fate == "filled" else count
        parts = [traded(number, f"T-{number}-{part}", "0.25", cl_ord_id=name_of(number)) for part in range(fills)]
        if heard and fate != "never":
            written.append(ack(number))
            written += [fill(number, part.exec_id, "0.25") for part in parts[: fills if saw else fills // 2]]
        facts += parts
        filled = Decimal("0.25") * fills
        if fate != "never":
            facts.append(state(number, "new" if fate == "open" else fate, str(filled)))
        expected[name_of(number)] = (fate, filled)
    known = recover(written)
    pieces = data.draw(st.permutations(facts))
    for piece in pieces:
        _settle(known, told(piece, thorough=False))
    for seconds in (100, 110, 120):
        _settle(known, told(*facts, at_ns=NOON + seconds * SECOND))
    assert {order.id: (order.step, order.filled) for order in known.orders.values()} == expected
    assert len(known.exec_ids) == sum(1 for fact in facts if hasattr(fact, "exec_id"))
    assert not known.surprises


def _settle(known: Recovered, evidence: Any) -> None:
    for record in reconcile(known, evidence, evidence.asked_ns, PATIENCE).records:
        known.apply(record)
    assert reconcile(known, evidence, evidence.asked_ns, PATIENCE).records == ()
