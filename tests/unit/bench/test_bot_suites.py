"""The suites about tapes and strategies, with few frames: they measure, prove their work and say what is not there."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from krakenwire.bench import backtest_peers, suites
from krakenwire.bench.generate import START_NS, one_pair
from krakenwire.bench.goals import GOALS
from krakenwire.cli.main import main
from krakenwire.protocol.v2.client import ClientCodec
from krakenwire.session.feed import Feed

SUITES = ("backtest", "tape", "order-path")
PEERS = ("backtest-hftbacktest", "backtest-hftbacktest-map", "backtest-nautilus", "backtest-backtrader")


def test_every_row_of_the_suites_is_measured_or_names_the_peer_that_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for module in suites._NEEDS["tape"]:
        pytest.importorskip(module)
    assert main(["bench", "--quick", "--json", *(word for suite in SUITES for word in ("--only", suite))]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert list(rows) == [name for name, goal in GOALS.items() if goal.suite in SUITES]
    for name, row in rows.items():
        if row["value"] is None:
            assert name in PEERS
            assert row["note"].startswith("not installed")
        else:
            assert row["value"] > 0
            assert row["rounds"] >= 5


def test_without_their_modules_the_suites_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "find_spec", lambda _: None)
    rows = suites.run_suites(SUITES, quick=True).rows
    assert [row.name for row in rows] == [name for name, goal in GOALS.items() if goal.suite in SUITES]
    assert {row.value for row in rows} == {None}
    assert rows[0].note == "not installed: numpy"


def test_one_pair_is_a_verified_market_at_a_steady_pace() -> None:
    frames = list(one_pair(10, 400, 1_000))
    assert [time_ns - START_NS for time_ns, _ in frames] == list(range(0, 401_000, 1_000))
    assert frames == list(one_pair(10, 400, 1_000))
    feed = Feed(ClientCodec())
    for _, frame in frames:
        feed.feed(frame)
    books = sum(b'"book"' in frame for _, frame in frames)
    assert (feed.counters.verified, feed.counters.failed) == (books, 0)
    assert 0.8 < books / len(frames) < 0.97


def test_a_peer_that_did_not_do_the_work_has_no_figure() -> None:
    np = pytest.importorskip("numpy")
    from krakenwire.model.rows import Listing
    from krakenwire.tape.hftbacktest import EVENT_DTYPE

    events = np.zeros(2, dtype=EVENT_DTYPE)
    events["local_ts"] = START_NS, START_NS + 10_000_000_000
    market = backtest_peers.Recorded(2, events, Listing(symbol="BTC/USD", price_decimals=1, qty_min=Decimal(0)))
    backtest_peers.prove_orders("it", 10, market)
    backtest_peers.prove_calls("it", 2, market)
    with pytest.raises(AssertionError, match="it placed 3 orders in 10 s"):
        backtest_peers.prove_orders("it", 3, market)
    with pytest.raises(AssertionError, match="it made 1 callbacks for 2 frames"):
        backtest_peers.prove_calls("it", 1, market)
