"""The screen of a running bot: it fits, everything stands at its place, and nothing that comes from outside draws."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.unit.cli.bot_values import NOW, SECOND, STATUS

from krakenwire.trading.run_status import RiskUse, RunStatus

pytest.importorskip("rich")

from krakenwire.cli.bot_screen import EquityHistory, LogLine, screen, spark

LOG = [LogLine(NOW - SECOND * back, "log", f"line {back}") for back in range(40, 0, -1)]


def drawn(
    status: RunStatus = STATUS,
    log: Sequence[LogLine] = LOG,
    *,
    width: int = 80,
    height: int = 24,
    silent_s: float = 0.0,
) -> list[str]:
    history = EquityHistory()
    for value in (100, 101, 99):
        history.add(Decimal(value))
    return [line.plain for line in screen(status, history, log, width=width, height=height, silent_s=silent_s)]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 35), (161, 50), (40, 10), (20, 4)])
def test_the_screen_has_exactly_the_size_of_the_terminal(width: int, height: int) -> None:
    lines = drawn(width=width, height=height)
    assert [len(line) for line in lines] == [width] * height


def test_everything_of_interest_fits_eighty_by_twenty_four() -> None:
    told = "\n".join(drawn())
    for part in (
        "PAPER  Grid on local",
        "running  1:00:07",
        "100,012.34 USD   today -4.50   run +12.34",
        "BTC/USD 0.1 6,000.00 6%",
        "buy  0.1 BTC/USD 59990.0 40%",
        "sell   2 ETH/USD  market sent",
        "11:00:04 buy  0.04 BTC/USD 59990.0",
        "BTC/USD live 0.1s 60000.0 60000.1",
        "ETH/USD DOWN",
        "gaps 1, conflated 1,234",
        "open_orders_max",
        "120%",
        "line 1 ",
        "123,456 frames  100,000 verified",
        "Ctrl-C ends",
    ):
        assert part in told


def test_a_larger_terminal_shows_more() -> None:
    told = "\n".join(drawn(width=140, height=40))
    assert "b7 g3" in told
    assert "6,000.00 of 5,000.00" in told
    assert "60010.0  taker       15.00" in told
    assert told.count("line ") > "\n".join(drawn()).count("line ")


def test_titles_stay_where_they_are_whatever_happens() -> None:
    quiet = replace(STATUS, orders=(), fills=())
    busy = replace(STATUS, orders=STATUS.orders * 20, fills=STATUS.fills * 10)

    def titles(status: RunStatus) -> list[int]:
        return [place for place, line in enumerate(drawn(status)) if "─ open orders" in line or "─ fills" in line]

    assert titles(quiet) == titles(busy)
    assert "and 33 more" in "\n".join(drawn(busy))


def test_live_shouts_and_no_other_mode_looks_like_it() -> None:
    heads = {mode: drawn(replace(STATUS, mode=mode))[0] for mode in ("backtest", "replay", "paper", "live")}
    assert heads["live"].startswith(" LIVE * REAL ORDERS")
    assert [mode for mode, head in heads.items() if "LIVE" in head] == ["live"]
    styles = {
        mode: screen(replace(STATUS, mode=mode), EquityHistory(), [], width=80, height=24)[0].style for mode in heads
    }
    assert len(set(styles.values())) == 4
    assert "red" in str(styles["live"])


def test_a_stop_and_an_alarm_stand_in_the_head() -> None:
    assert "orders may leave" in drawn()[2]
    line = drawn(replace(STATUS, stop="paused", alarm="b7 unknown"))[2]
    assert "ALARM  b7 unknown" in line
    assert "STOPPED  paused" in line


def test_a_strategy_that_does_not_answer_is_told_of() -> None:
    assert "NO ANSWER OF THE STRATEGY FOR 12s" in drawn(silent_s=12.3)[0]
    assert "NO ANSWER" not in drawn(silent_s=0.4)[0]


def test_what_a_strategy_says_cannot_steer_the_terminal() -> None:
    told = drawn(log=[LogLine(NOW, "log", "a\x1b[2Jb\nc")])
    assert not any(char in "\x1b\n" for line in told for char in line)


def test_long_lines_of_the_log_go_over_several_and_the_latest_is_the_last() -> None:
    lines = drawn(log=[LogLine(NOW, "log", "old"), LogLine(NOW, "error", "word " * 20 + "end")])
    places = [next(i for i, line in enumerate(lines) if part in line) for part in (" old", "error: word", "word end")]
    assert places == [places[0], places[0] + 1, places[2]]
    assert places[2] > places[1] + 1


def test_of_limits_that_do_not_fit_the_most_used_are_shown() -> None:
    uses = tuple(RiskUse(rule=f"limit_{place:02}", used=Decimal(place), limit=Decimal(40)) for place in range(40))
    told = "\n".join(drawn(replace(STATUS, risk=uses)))
    assert "limit_39" in told
    assert "limit_00" not in told
    assert told.index("limit_38") < told.index("limit_39")


def test_a_bot_that_has_only_begun_is_drawn_too() -> None:
    bare = RunStatus(
        run="r",
        strategy="S",
        mode="paper",
        source="live",
        time_ns=NOW,
        started_ns=NOW,
        state="starting",
        quote="USD",
    )
    assert "starting" in drawn(bare, [])[0]


def test_the_line_of_equity_spans_the_whole_run_in_bounded_points() -> None:
    history = EquityHistory()
    for value in range(100_000):
        history.add(Decimal(value))
    assert len(history.points) <= 512
    assert history.points[0] < 1_000
    assert history.points[-1] > 99_000
    assert spark(history.points, 8) == "▁▂▃▄▅▆▇█"


def test_a_line_through_equal_or_no_points_is_flat_or_empty() -> None:
    assert (spark([5.0, 5.0], 10), spark([], 10), spark([1.0], 0)) == ("▁▁", "", "")
