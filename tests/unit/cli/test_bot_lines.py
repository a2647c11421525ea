"""Lines of a running bot: what a person reads, and what a program parses."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest
from tests.unit.cli.bot_values import DECISION, EQUITY, FILL, HEAD, NOTE, NOW, ROWS, SECOND, SENT, STATUS

from krakenwire.cli.bot_lines import age, money, row_json, row_line, signed, span, status_lines
from krakenwire.trading.run_records import RunRow
from krakenwire.trading.run_status import RunStatus

COUNTED = (
    "  counted   frames 123,456, verified 100,000, orders sent 41, refused by limits 2, fills 17, "
    "conflated 1,234, waiting 3, slow calls 1, fees 15.01 USD, event to order 480 us"
)


def test_a_status_tells_how_the_bot_stands_line_by_line() -> None:
    assert status_lines(STATUS) == [
        "Grid, paper, on local: running",
        "  run       paper-1, for 1:00:07",
        "  as of     2026-11-28T11:00:07Z",
        "  stop      none: orders may leave",
        "  alarm     none",
        "  equity    100,012.34 USD, today -4.50, since the start +12.34",
        "  cash      99,000.50 USD",
        "  balance   USD 99000.5",
        "            BTC 0.1",
        "  position  BTC/USD 0.1",
        "            ETH/USD 0",
        "  order     b7 buy 0.10 BTC/USD at 59990.0: partly_filled, 0.04 filled [g3]",
        "            b8 sell 2 ETH/USD at the market: sent, 0 filled",
        "  fill      10:59:58 sell 0.10 BTC/USD at 60010.0, taker, fee 15.00",
        "            11:00:04 buy 0.04 BTC/USD at 59990.0, maker, fee 0.00500000",
        "  feed      BTC/USD live, heard 0.1s ago, bid 60000.0, ask 60000.1, 1 gaps, 1,234 conflated",
        "            ETH/USD not to be trusted, heard - ago, bid -, ask -, 0 gaps, 0 conflated",
        "  risk      open_orders_max 10%: 2.00 of 20.00",
        "            daily_loss_max 2%: 4.50 of 250.00",
        "            position_notional_max 120%: 6,000.00 of 5,000.00",
        "            orders_per_day_max -: 1.00 of 0.00",
        COUNTED,
        "  note      09:00:02 quoting again",
        "            09:00:04 slow: on_book took 71 ms",
    ]


def test_a_status_of_a_bot_that_has_only_begun_says_what_is_not_known_yet() -> None:
    told = status_lines(
        RunStatus(
            run="r",
            strategy="S",
            mode="live",
            source="live",
            time_ns=SECOND,
            started_ns=SECOND,
            state="starting",
            quote="EUR",
            stop="paused: by a person",
            alarm="an order of unknown fate",
        )
    )
    assert told[0] == "S, live, on live: starting"
    assert "  stop      paused: by a person" in told
    assert "  alarm     an order of unknown fate" in told
    assert "  equity    - EUR, today -, since the start -" in told
    assert "  order     none" in told
    assert told[-1] == "  counted   nothing yet, fees 0.00 EUR"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (Decimal(0), "0.00"),
        (Decimal("1234567.891"), "1,234,567.89"),
        (Decimal("-0.005"), "-0.00500000"),
        (Decimal("1E+3"), "1,000.00"),
    ],
)
def test_money_is_read_in_cents_and_what_is_below_one_in_eight_decimals(value: Decimal | None, text: str) -> None:
    assert money(value) == text


def test_gains_and_losses_carry_their_sign() -> None:
    assert [signed(Decimal(value)) for value in ("1.5", "-1.5", "0")] == ["+1.50", "-1.50", "0.00"]


def test_lengths_of_time_fit_their_size() -> None:
    assert (span(59 * SECOND), span(86_399 * SECOND), span(90_061 * SECOND)) == ("0:00:59", "23:59:59", "1d 01:01:01")
    assert (age(None), age(0), age(59_900_000_000), age(60 * SECOND)) == ("-", "0.0s", "59.9s", "0:01:00")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_each_row_is_one_json_object_that_tells_its_kind_and_its_time_first(row: RunRow) -> None:
    line = row_json(row)
    told = json.loads(line)
    assert "\n" not in line
    assert list(told)[:3] == ["kind", "time", "time_ns"]
    assert told["kind"] == type(row).__struct_config__.tag
    assert set(row.__struct_fields__) - {"kind"} <= set(told)


def test_json_has_every_digit_as_text_without_an_exponent() -> None:
    told = json.loads(row_json(FILL))
    assert (told["qty"], told["fee"], told["price"], told["mid"]) == ("0.00000001", "0.0000015", "60000.0", None)
    assert (told["time"], told["time_ns"], told["maker"]) == ("2026-11-28T11:00:07.250000000Z", NOW, True)
    assert json.loads(row_json(HEAD))["balances"] == {"USD": "100000"}
    assert json.loads(row_json(EQUITY))["mids"] == {"BTC/USD": "60000.05"}


def test_members_stand_in_one_order_whatever_their_values() -> None:
    other = msgspec.structs.replace(FILL, mid=Decimal(1), tag="t", decided_ns=5)
    assert list(json.loads(row_json(FILL))) == list(json.loads(row_json(other)))


def test_a_notes_own_kind_is_told_beside_the_kind_of_the_row() -> None:
    told = json.loads(row_json(NOTE))
    assert (told["kind"], told["note"], told["text"]) == ("note", "slow", "on_book took 71 ms")


def test_lines_for_a_person_leave_out_what_only_a_program_asks_for() -> None:
    assert [row_line(row) for row in (HEAD, DECISION, EQUITY)] == [None, None, None]
    assert row_line(msgspec.structs.replace(SENT, state="intent")) is None
    assert row_line(SENT) == "11:00:07  sent         b1  buy 0.10 BTC/USD at 60000.0"
    refused = msgspec.structs.replace(SENT, state="refused", limit=None, reason="refused by cash: none")
    assert row_line(refused) == "11:00:07  refused      b1  buy 0.10 BTC/USD at the market: refused by cash: none"
    assert row_line(FILL) == (
        "11:00:07  FILL         b1  buy 0.00000001 BTC/USD at 60000.0, maker, fee 0.00000150, position 0.00000001"
    )
    assert row_line(NOTE) == "11:00:07  slow         BTC/USD: on_book took 71 ms"
