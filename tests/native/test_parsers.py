"""The parsers in C beside the codecs in Python: what is taken has exactly the codec's content.

A small program prints what it made of each frame. Taking too little is slow and seen in the counts here;
taking anything the codec reads differently, or not at all, would be wrong.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.native.c_program import SANITIZE, build
from tests.native.parse_frames import ODD_V1, ODD_V2, PLAIN_V1, PLAIN_V2, in_version_1, mutated, reordered

from krakenwire.bench.generate import stream
from krakenwire.errors import DecodeError
from krakenwire.model import BookUpdate, Event, Ticker, Trades
from krakenwire.protocol.v1.channels import symbol_of
from krakenwire.protocol.v1.client import ClientCodec as ClientCodecV1
from krakenwire.protocol.v2.client import ClientCodec as ClientCodecV2

UNUSUAL, FOREIGN, TAKEN = -1, 0, 1
TICKER_NUMBERS = ["bid", "bid_qty", "ask", "ask_qty", "last", "volume", "vwap", "low", "high", "change", "change_pct"]
ORD_TYPES = {"m": "market", "l": "limit"}
SIDES = {"b": "buy", "s": "sell"}

Parse = Callable[[int, Iterable[bytes]], list[dict[str, Any]]]


@pytest.fixture(scope="module", params=["", "-DKW_SIXTEEN=0", "-DKW_WORDS=0"])
def parse(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Parse:
    """Parse frames by the program, with sixteen bytes at a time where the machine can, with eight, with one."""
    program = build("parse_main.c", tmp_path_factory.mktemp("parse"), *SANITIZE, *filter(None, [request.param]))
    return lambda version, frames: _parsed(program, version, list(frames))


def _parsed(program: Path, version: int, frames: list[bytes]) -> list[dict[str, Any]]:
    sized = b"".join(b"%d\n%b" % (len(frame), frame) for frame in frames)
    done = subprocess.run((str(program), str(version)), check=False, input=sized, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(frames)
    return found


# -- comparing --------------------------------------------------------------


def _number(digits: int, decimals: int) -> Decimal:
    return Decimal((int(digits < 0), tuple(map(int, str(abs(digits)))), -decimals))


def _same(mine: Decimal | None, theirs: Decimal | None) -> bool:
    return mine is None and theirs is None if mine is None or theirs is None else str(mine) == str(theirs)


def _levels(levels: list[list[int]], version: int) -> list[tuple[str, ...]]:
    made = []
    for price, price_decimals, qty, qty_decimals, time_us, republished in levels:
        texts = (f"{_number(price, price_decimals):f}", f"{_number(qty, qty_decimals):f}")
        if version == 1:
            texts += (f"{time_us // 10**6:010d}.{time_us % 10**6:06d}", *("r" if republished else ""))
        made.append(texts)
    return made


def _same_book(found: dict[str, Any], event: Event, version: int) -> None:
    assert isinstance(event, BookUpdate)
    assert _levels(found["bids"], version) == [tuple(level) for level in event.wire_bids]
    assert _levels(found["asks"], version) == [tuple(level) for level in event.wire_asks]
    assert found.get("checksum") == event.checksum
    assert found.get("time_ns") == event.time_ns
    assert (found["depth"] or None) == event.depth


def _same_trades(found: dict[str, Any], event: Event) -> None:
    assert isinstance(event, Trades)
    assert len(found["trades"]) == len(event.trades)
    for mine, theirs in zip(found["trades"], event.trades, strict=True):
        price, price_decimals, qty, qty_decimals, time_ns, trade_id, side, ord_type = mine
        assert _same(_number(price, price_decimals), theirs.price)
        assert _same(_number(qty, qty_decimals), theirs.qty)
        assert (time_ns, SIDES[side], ORD_TYPES[ord_type]) == (theirs.time_ns, theirs.side, theirs.ord_type)
        assert (None if trade_id < 0 else trade_id) == theirs.trade_id
        assert theirs.symbol == event.symbol


def _same_ticker(found: dict[str, Any], event: Event) -> None:
    assert isinstance(event, Ticker)
    for name, number in zip(TICKER_NUMBERS, found["numbers"], strict=True):
        assert _same(None if number is None else _number(*number), getattr(event, name)), name
    assert found.get("ticker_trades") == event.trades
    assert found.get("time_ns") == event.time_ns


def _check(found: dict[str, Any], frame: bytes, version: int) -> None:
    """A taken frame has the codec's content; a foreign one is no market data of ours."""
    codec = ClientCodecV1() if version == 1 else ClientCodecV2()
    try:
        events = codec.decode(frame)
    except DecodeError:
        assert found["result"] != TAKEN
        return
    if found["result"] != TAKEN:
        ours = BookUpdate | Trades if version == 1 else BookUpdate | Trades | Ticker
        # A frame is told by the first such member it has; the codec, which gets it, goes by the last.
        told_early = b'"method"' in frame or frame.count(b'"channel"') > 1
        assert found["result"] == UNUSUAL or told_early or not any(isinstance(one, ours) for one in events)
        return
    (event,) = events
    symbol = symbol_of(found["symbol"]) if version == 1 else found["symbol"]
    assert symbol == event.symbol
    assert ("snapshot" if found["snapshot"] else "update") == event.kind
    assert found["extra_members"] == codec.unknown_members
    if found["kind"] == 1:
        _same_book(found, event, version)
    elif found["kind"] == 2:
        _same_trades(found, event)
    else:
        _same_ticker(found, event)


def _check_all(parse: Parse, version: int, frames: Iterable[bytes]) -> list[int]:
    wanted = list(frames)
    results = parse(version, wanted)
    for found, frame in zip(results, wanted, strict=True):
        try:
            _check(found, frame, version)
        except AssertionError as error:
            raise AssertionError(f"{frame!r}: {found}") from error
    return [found["result"] for found in results]


# -- frames as they come ----------------------------------------------------


@pytest.mark.parametrize("depth", [10, 100])
def test_every_frame_of_the_generated_stream_is_taken_with_the_codecs_content(parse: Parse, depth: int) -> None:
    assert set(_check_all(parse, 2, stream(depth, 2_000, seed=4))) == {TAKEN}


def test_members_in_any_order_and_white_space_anywhere_change_nothing(parse: Parse) -> None:
    rng = Random(5)
    frames = list(stream(10, 1_000, seed=6))
    for spaced in (False, True):
        assert set(_check_all(parse, 2, (reordered(rng, frame, spaced) for frame in frames))) == {TAKEN}


def test_new_members_of_plain_kind_are_passed_over_and_counted(parse: Parse) -> None:
    rng = Random(7)
    frames = [reordered(rng, frame, True, extra=2) for frame in stream(10, 500, seed=8)]
    found = parse(2, frames)
    _check_all(parse, 2, frames)
    assert {one["result"] for one in found} == {TAKEN}
    assert max(one["extra_members"] for one in found) >= 4


def _v1_stream(frames: int) -> list[bytes]:
    return list(in_version_1(stream(10, frames, seed=9)))


def test_every_version_1_frame_of_the_venues_encoder_is_taken_with_the_codecs_content(parse: Parse) -> None:
    frames = _v1_stream(1_500)
    assert set(_check_all(parse, 1, frames)) == {TAKEN}
    spaced = [json.dumps(json.loads(frame), indent=at % 3).encode() for at, frame in enumerate(frames)]
    assert set(_check_all(parse, 1, spaced)) == {TAKEN}


# -- frames by hand ---------------------------------------------------------


@pytest.mark.parametrize(("version", "frames"), [(1, PLAIN_V1), (2, PLAIN_V2)])
def test_plain_frames_written_by_hand_are_taken(parse: Parse, version: int, frames: list[bytes]) -> None:
    results = _check_all(parse, version, frames)
    assert [frame for frame, result in zip(frames, results, strict=True) if result != TAKEN] == []


@pytest.mark.parametrize(("version", "kinds"), [(1, ODD_V1), (2, ODD_V2)])
def test_whatever_is_not_plain_is_left_to_the_codec(parse: Parse, version: int, kinds: list[tuple[int, bytes]]) -> None:
    results = _check_all(parse, version, [frame for _, frame in kinds])
    wrong = [(frame, result) for (wanted, frame), result in zip(kinds, results, strict=True) if result != wanted]
    assert wrong == []


def test_a_time_is_read_alike_whatever_minute_the_one_before_it_was_of(parse: Parse) -> None:
    minutes = [b"2026-08-01T02:53", b"2026-08-01T02:54", b"2026-02-30T02:53", b"2024-02-29T23:59", b"2100-03-01T00:00"]
    minutes += [b"1970-01-01T00:00", b"1969-12-31T23:59", b"2026-08-01 02:53", b"\xff" * 16, bytes(16)]
    seconds = [b":00.000000Z", b":59.999999Z", b":60.000000Z", b":5\xb1.000000Z", b".53.398143Z", b":53.39814 Z"]
    book = next(frame for frame in stream(10, 20, seed=4) if b'"timestamp"' in frame)
    before, _, _ = book.rpartition(b'"timestamp":"')
    rng = Random(3)
    times = [bytes(16) + seconds[0]]
    times += [
        rng.choice(minutes[: rng.choice([2, 10])]) + rng.choice(seconds[: rng.choice([2, 6])]) for _ in range(2_000)
    ]
    results = _check_all(parse, 2, [before + b'"timestamp":"' + time + b'"}]}' for time in times])
    assert 500 < results.count(TAKEN) < 1_900


def test_a_plain_number_is_taken_however_long_it_is_and_nothing_else(parse: Parse) -> None:
    digits = "90071992547409931"
    spellings = {
        f"{lead}{digits[:whole]}{'.' if fraction else ''}{digits[::-1][:fraction]}": (lead, whole, fraction)
        for lead in ("", "0", "-")
        for whole in range(18)
        for fraction in range(18)
    }
    plain = {
        number: (whole == 0 and fraction < 18 if lead == "0" else whole > 0 and whole + fraction <= 18)
        for number, (lead, whole, fraction) in spellings.items()
    }
    ticker = '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":1.0,"bid_qty":1.0,"ask":2.0,'
    ticker += '"ask_qty":1.0,"last":1.5,"volume":1.0,"vwap":1.5,"low":1.0,"high":2.0,"change":%s,"change_pct":%s}]}'
    results = _check_all(parse, 2, [(ticker % (number, number)).encode() for number in plain])
    assert [number for number, result in zip(plain, results, strict=True) if (result == TAKEN) != plain[number]] == []
    level = '[0,{"a":[["%s","%s","1534614248.765567"]],"c":"1"},"book-10","XBT/USD"]'
    results = _check_all(parse, 1, [(level % (number, number)).encode() for number in plain])
    taken = [number for number, result in zip(plain, results, strict=True) if result == TAKEN]
    assert taken == [number for number in plain if plain[number] and number[0] != "-"]


@pytest.mark.parametrize("version", [1, 2])
def test_no_cut_frame_is_taken(parse: Parse, version: int) -> None:
    frames = {1: PLAIN_V1, 2: PLAIN_V2}[version]
    cuts = [frame.rstrip()[:size] for frame in frames for size in range(len(frame.rstrip()))]
    results = {found["result"] for found in parse(version, cuts)}
    assert results == {UNUSUAL} if version == 2 else TAKEN not in results


@pytest.mark.parametrize("version", [1, 2])
def test_no_mutation_of_a_frame_is_taken_otherwise_than_by_the_codec(parse: Parse, version: int, nightly: bool) -> None:
    rng = Random(11 + version)
    seeds = (
        [*_v1_stream(300), *PLAIN_V1, *(frame for _, frame in ODD_V1)]
        if version == 1
        else [*stream(10, 300, seed=3), *PLAIN_V2, *(frame for _, frame in ODD_V2)]
    )
    seeds = [frame for frame in seeds if len(frame) < 1_500]
    frames = [mutated(rng, rng.choice(seeds), seeds) for _ in range(400_000 if nightly else 8_000)]
    results = _check_all(parse, version, frames)
    assert set(results) == {UNUSUAL, FOREIGN, TAKEN}
    assert 0.02 < results.count(TAKEN) / len(results) < 0.9
