"""Rows of whole tapes: books proven anew, gaps where something is missing, connections that tell the same."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from krakenwire.apps.market_data import MarketData, market_data, market_data_of_frames
from krakenwire.bench.generate import stream
from krakenwire.errors import TapeError
from krakenwire.model.rows import ASK, BID, BUY, CLEAR, EVENT, GAP, SELL, SNAPSHOT, Rows
from krakenwire.storage.tape_reader import Tape
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.marks import Closed, Mark, Opened
from krakenwire.tape.record import Kind

FRAMES = list(stream(10, 300, seed=9))
SECOND = 1_000_000_000
OPENED = Opened(url="ws://127.0.0.1", version=2, name="public").encode()

Record = tuple[int, int, int, bytes]


def tape_of(folder: Path, records: Iterable[Record]) -> Tape:
    with TapeWriter(folder) as writer:
        writer.write_many(records)
    return Tape(folder)


def told(connection: int = 1, frames: list[bytes] = FRAMES, first_s: int = 1) -> list[Record]:
    opened: Record = (first_s * SECOND, connection, Kind.OPENED, OPENED)
    return [opened, *((at * SECOND, connection, Kind.FRAME_IN, frame) for at, frame in enumerate(frames, first_s))]


def books(rows: Rows) -> dict[int, dict[int, dict[int, int]]]:
    """The books that rows make, without a depth: symbol, side, price, quantity."""
    made: dict[int, dict[int, dict[int, int]]] = {}
    for row in rows:
        sides = made.setdefault(int(row["symbol"]), {BID: {}, ASK: {}})
        if row["kind"] in (CLEAR, GAP):
            sides[BID].clear()
            sides[ASK].clear()
        elif row["kind"] in (BID, ASK):
            sides[int(row["kind"])][int(row["price"])] = int(row["qty"])
    return made


def kinds(data: MarketData) -> list[int]:
    return [int(kind) for kind in data.rows["kind"]]


def test_a_tape_gives_the_rows_of_its_frames(tmp_path: Path) -> None:
    data = market_data(tape_of(tmp_path / "tape", told()))
    frames = market_data_of_frames((at * SECOND, frame) for at, frame in enumerate(FRAMES, 1))
    assert np.array_equal(data.rows, frames.rows)
    assert data.listings == frames.listings
    assert (data.counters.frames, data.counters.rows, data.counters.failed) == (310, len(data.rows), 0)
    assert {BID, ASK, BUY, SELL, CLEAR, EVENT} == set(kinds(data))
    assert all(data.objects[row["aux"]].channel == "ticker" for row in data.rows if row["kind"] == EVENT)


def test_nothing_gives_no_rows() -> None:
    assert len(market_data_of_frames([]).rows) == 0


def test_a_frame_that_is_lost_shows_as_a_gap_when_the_checksum_differs() -> None:
    updates = [at for at, frame in enumerate(FRAMES) if b'"book"' in frame and b'"update"' in frame]
    damaged = [frame for at, frame in enumerate(FRAMES) if at != updates[3]]
    data = market_data_of_frames(enumerate(damaged))
    assert (data.counters.gaps, data.counters.failed) == (1, 1)
    assert data.counters.ignored > 0


def test_only_the_symbols_asked_for_get_rows(tmp_path: Path) -> None:
    data = market_data(tape_of(tmp_path / "tape", told()), symbols=["ETH/USD"])
    assert [listing.symbol for listing in data.listings] == ["ETH/USD"]
    assert set(data.rows["symbol"]) == {0}


def test_the_end_of_a_connection_is_a_gap_of_all_its_books(tmp_path: Path) -> None:
    records = [*told(), (400 * SECOND, 1, Kind.CLOSED, Closed(code=1006).encode())]
    records.append((500 * SECOND, 2, Kind.OPENED, OPENED))
    data = market_data(tape_of(tmp_path / "tape", records))
    last = data.rows[data.rows["kind"] == GAP]
    assert sorted(last["symbol"].tolist()) == list(range(10))
    assert set(last["time_ns"]) == {400 * SECOND}


def test_the_end_of_a_recording_is_no_gap(tmp_path: Path) -> None:
    closed: Record = (400 * SECOND, 1, Kind.CLOSED, Closed(code=1000).encode())
    stopped: Record = (401 * SECOND, 0, Kind.MARK, Mark(mark="stopped").encode())
    data = market_data(tape_of(tmp_path / "tape", [*told(), closed, stopped]))
    assert data.counters.gaps == 0


@pytest.mark.parametrize(("mark", "resumes"), [("gap", True), ("lost", False)])
def test_a_remark_about_something_missing_is_a_gap(tmp_path: Path, mark: str, resumes: bool) -> None:
    records = told()
    payload = Mark(mark=mark, symbol="BTC/USD", channel="book").encode()  # type: ignore[arg-type]
    records.insert(200, (199 * SECOND, 1, Kind.MARK, payload))
    data = market_data(tape_of(tmp_path / "tape", records))
    assert data.counters.gaps == 1
    after = data.rows[data.rows["time_ns"] > 200 * SECOND]
    assert bool(set(after["kind"]) & {BID, ASK}) is resumes


def test_rows_from_a_later_time_begin_with_the_whole_books(tmp_path: Path) -> None:
    tape = tape_of(tmp_path / "tape", told())
    whole, part = market_data(tape), market_data(tape, start_ns=150 * SECOND)
    assert part.rows["time_ns"][0] == 150 * SECOND
    before = whole.rows[whole.rows["time_ns"] < 150 * SECOND]
    assert [kind for kind in kinds(part) if kind == CLEAR] == [CLEAR] * 10
    assert set(before["kind"]) >= {CLEAR}
    symbols = [listing.symbol for listing in whole.listings]
    places = {symbols.index(listing.symbol): place for place, listing in enumerate(part.listings)}
    late, late_part = books(whole.rows), books(part.rows)
    for place, other in places.items():
        for side in (BID, ASK):
            best = sorted(late_part[other][side].items(), reverse=side == BID)
            assert {price: late[place][side][price] for price, _ in best} == dict(best)


def test_rows_before_a_time_end_there(tmp_path: Path) -> None:
    data = market_data(tape_of(tmp_path / "tape", told()), end_ns=100 * SECOND)
    assert data.rows["time_ns"].max() < 100 * SECOND


def test_what_two_connections_tell_is_told_once(tmp_path: Path) -> None:
    both = sorted([*told(1), *told(2)], key=lambda record: record[0])
    one = market_data(tape_of(tmp_path / "one", told()))
    two = market_data(tape_of(tmp_path / "two", both))
    of_market = one.rows[one.rows["kind"] != EVENT]
    again = two.rows[two.rows["kind"] != EVENT]
    assert np.array_equal(of_market[["time_ns", "kind", "price", "qty"]], again[["time_ns", "kind", "price", "qty"]])
    assert two.counters.repeated > 250


def test_a_second_connection_takes_over_with_its_whole_books(tmp_path: Path) -> None:
    records = sorted([*told(1)[:150], *told(2)], key=lambda record: record[0])
    end = next(at for at, record in enumerate(records) if record[0] > 150 * SECOND)
    records.insert(end, (150 * SECOND, 1, Kind.CLOSED, Closed().encode()))
    data = market_data(tape_of(tmp_path / "tape", records))
    gaps = np.flatnonzero(data.rows["kind"] == GAP)
    after = data.rows[gaps[-1] + 1 :]
    assert len(gaps) == 10
    assert set(after["connection"]) == {2}
    clears = after[after["kind"] == CLEAR]
    assert sorted(clears["symbol"].tolist()) == list(range(10))
    assert set(clears["flags"] & SNAPSHOT) == {SNAPSHOT}
    assert data.counters.failed == 0


def test_private_connections_have_no_rows(tmp_path: Path) -> None:
    private = Opened(url="ws://127.0.0.1", version=2, name="private").encode()
    records = [*told(), (SECOND, 2, Kind.OPENED, private), (SECOND, 2, Kind.FRAME_IN, FRAMES[0])]
    one, two = (market_data(tape_of(tmp_path / str(n), some)) for n, some in enumerate((told(), records)))
    assert np.array_equal(one.rows, two.rows)


def trade(price: str, symbol: str = "ETH/USD") -> bytes:
    row = f'"symbol":"{symbol}","side":"buy","price":{price},"qty":1.0,"ord_type":"limit","trade_id":1'
    time = "2026-11-28T10:00:00.000000Z"
    return f'{{"channel":"trade","type":"update","data":[{{{row},"timestamp":"{time}"}}]}}'.encode()


def test_a_wrong_guess_of_decimals_is_made_good_by_reading_again(tmp_path: Path) -> None:
    data = market_data(tape_of(tmp_path / "tape", told(frames=[trade("10.5"), trade("10.25"), trade("10.125")])))
    assert data.rows["price"].tolist() == [10_500, 10_250, 10_125]
    assert data.listings[0].price_decimals == 3
    assert data.counters.frames == 3


def test_a_number_that_fits_nothing_is_an_error_that_names_the_tape(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="--symbols"):
        market_data(tape_of(tmp_path / "tape", told(frames=[trade("0.1"), trade("1234567890123456789.5")])))


def instrument(precision: int) -> bytes:
    pair = (
        f'"symbol":"ETH/USD","base":"ETH","quote":"USD","status":"online","qty_precision":8,"qty_increment":0.00000001,'
        f'"price_precision":{precision},"cost_precision":5,"marginable":false,"has_index":false,"cost_min":0.5,'
        f'"price_increment":0.1,"tick_size":0.1,"qty_min":0.01'
    )
    return f'{{"channel":"instrument","type":"snapshot","data":{{"assets":[],"pairs":[{{{pair}}}]}}}}'.encode()


def test_a_change_of_decimals_is_an_error_that_names_the_record(tmp_path: Path) -> None:
    tape = tape_of(tmp_path / "tape", told(frames=[instrument(1), trade("10.5"), instrument(2)]))
    with pytest.raises(TapeError, match=r"record 3: ETH/USD: the venue changed"):
        market_data(tape)
