"""The bench measures what it says: a realistic stream in which every checksum holds."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from bench.__main__ import main
from bench.generate import PAIRS, stream

from krakenwire.protocol.v2.client import ClientCodec
from krakenwire.session.feed import Feed


@pytest.mark.parametrize("depth", [10, 100, 1000])
def test_every_book_message_of_the_stream_verifies_and_no_book_is_crossed(depth: int) -> None:
    feed, books = Feed(ClientCodec()), 0
    for frame in stream(depth, 1_000):
        feed.feed(frame)
        books += frame.startswith(b'{"channel":"book"')
    assert (feed.counters.verified, feed.counters.failed, feed.counters.unknown) == (books, 0, 0)
    for symbol, *_ in PAIRS:
        book = feed.book(symbol)
        assert book is not None
        assert book.depth == depth
        assert book.spread is not None
        assert book.spread > 0


def test_the_stream_is_the_same_for_the_same_seed_and_has_the_stated_mix() -> None:
    frames = list(stream(10, 4_000, seed=3))
    assert frames == list(stream(10, 4_000, seed=3))
    assert frames != list(stream(10, 4_000, seed=4))
    kinds = Counter(json.loads(frame)["channel"] for frame in frames[len(PAIRS) :])
    assert {kind: round(count / 200) * 0.05 for kind, count in kinds.items()} == pytest.approx(
        {"book": 0.85, "trade": 0.1, "ticker": 0.05}
    )


def test_the_bench_prints_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--frames", "200", "--depths", "10", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["depth"] for row in result["rows"]] == [10]
    assert result["rows"][0]["ratio"] > 0


def test_the_bench_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--frames", "200", "--depths", "10", "25"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["10", "25"]
