"""A trade tape: read exactly or refused by line and column, and printed again by the crowd of a market."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.errors import ConfigError
from krakenwire.model.orders import AddOrder
from krakenwire.venue import Venue, VenueConfig
from krakenwire.venue.market.instruments import INSTRUMENTS
from krakenwire.venue.market.market import Market
from krakenwire.venue.market.tape import Tape, TapeRow, read_tape

BTC = INSTRUMENTS["BTC/USD"]
SECOND = 1_000_000_000
T0 = 1_790_000_000 * SECOND
PLAIN = "1684108800,7000.5,0.25\n1684108810.5,7001,1\n"


def read(text: str, speed: str = "1") -> Tape:
    return read_tape(text.splitlines(keepends=True), BTC, "trades.csv", Decimal(speed))


def rows(tape: Tape) -> list[TapeRow]:
    return [tape.row(number) for number in range(len(tape))]


# -- reading --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n") + "\n\n",
        "time,price,volume\n" + PLAIN,
        '"Time", "Price", "Volume"\n"1684108800","7000.50","0.25000000"\n"1684108810.5","7001.0","1e0"\n',
        "price,misc,time,volume\n7000.5,,1684108800,0.25\n7001,None,1684108810.5,1\n",
        "1684108810.5,7001,1,b,l,\n1684108800,7000.5,0.25,s,m,\n",
    ],
)
def test_time_price_and_volume_are_read_exactly_and_in_the_order_of_time(text: str) -> None:
    assert rows(read(text)) == [
        TapeRow(0, 70_005, 25_000_000),
        TapeRow(10_500_000_000, 70_010, 100_000_000),
    ]


@pytest.mark.parametrize(("speed", "offset_ns"), [("10", 1_050_000_000), ("0.5", 21_000_000_000), ("3", 3_500_000_000)])
def test_speed_cuts_the_time_between_trades(speed: str, offset_ns: int) -> None:
    assert read(PLAIN, speed).row(1).offset_ns == offset_ns


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["trades.csv", "at least one trade"]),
        ("\n\n", ["at least one trade"]),
        ("time,price\n1,2\n", ["line 1", "a column volume"]),
        ("1,70000,1\n2,x,1\n", ["line 2", "column price", "found x"]),
        ("1,70000,1\n2,70000\n", ["line 2", "column volume", "nothing"]),
        ("1,70000,1\n,70000,1\n", ["line 2", "column time"]),
        ("1,70000,1\n2,70000.05,1\n", ["line 2", "column price", "1 decimals"]),
        ("1,70000,0.000000001\n", ["line 1", "column volume", "8 decimals"]),
        ("1,0,1\n", ["column price", "above 0"]),
        ("1,70000,-1\n", ["column volume"]),
        ("-1,70000,1\n", ["column time"]),
        ("nan,70000,1\n", ["line 1", "column time"]),
        ("inf,70000,1\n", ["column time"]),
        ("99999999999,70000,1\n", ["column time"]),
        ("1," + "7" * 100 + ",1\n", ["column price"]),
        ("1,1e40,1\n", ["column price"]),
        ("1,7,1\n", ["start price of BTC/USD"]),
    ],
)
def test_a_wrong_line_is_one_error_that_names_it(text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("speed", ["0", "-1", "100001", "NaN", "Infinity"])
def test_a_speed_that_cannot_be_is_refused(speed: str) -> None:
    with pytest.raises(ConfigError, match="tape speed"):
        read(PLAIN, speed)


@given(st.text(alphabet='0123456789.,-e"\n time', max_size=80))
def test_whatever_stands_there_is_a_tape_or_a_config_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert len(read(text)) > 0


def test_a_tape_of_an_unlisted_symbol_is_refused() -> None:
    with pytest.raises(ConfigError, match="BTC/USD"):
        VenueConfig(symbols=["ETH/USD"], tapes={"BTC/USD": read(PLAIN)})


# -- playing ---------------------------------------------------------------------------


def jumpy(count: int = 300) -> str:
    """Trades half a second apart that jump up and down by up to two per cent."""
    lines = []
    for number in range(count):
        price = 70_000 + (number * 7_919) % 14_000 - 7_000 + (number % 3) * 200
        lines.append(f"{1_700_000_000 + number / 2},{price / 10},{1 + number % 7}.{number % 10}")
    return "\n".join(lines)


def taped(text: str, **config: object) -> tuple[Venue, Market]:
    venue = Venue(VenueConfig(symbols=["BTC/USD"], start_ns=T0, tapes={"BTC/USD": read(text)}, **config))  # type: ignore[arg-type]
    return venue, venue.markets[0]


def run(venue: Venue, seconds: float, step_ms: int = 50) -> None:
    for _ in range(int(seconds * 1_000 / step_ms)):
        for _ in venue.step(venue.now_ns + step_ms * 1_000_000):
            quote = venue.markets[0].quote
            assert 0 < quote.bid < quote.ask


def test_the_trades_of_the_market_are_those_of_the_tape_to_the_last_lot() -> None:
    text = jumpy()
    venue, market = taped(text)
    first = market.last_trade_id
    run(venue, 149.6)
    wanted = [(row.price, row.qty) for row in rows(read(text))]
    assert [(trade.price, trade.qty) for trade in market.trades_after(first)][: len(wanted)] == wanted
    assert len(market.levels("buy", 2_000)) > 900
    assert len(market.levels("sell", 2_000)) > 900


def test_a_taped_market_begins_at_the_first_price_and_follows_the_time_of_the_tape() -> None:
    venue, market = taped("100,7000.5,1\n110,7100.5,1\n")
    assert market.last_price in range(69_000, 71_000)
    run(venue, 9.9)
    assert market.last_price == 70_005
    run(venue, 0.2)
    assert market.trades(1)[0].price != 70_005


def test_after_the_tape_the_crowd_goes_on_around_the_last_price() -> None:
    venue, market = taped("100,7000.5,1\n101,7200,1\n")
    run(venue, 1.1)
    before = market.last_trade_id
    run(venue, 60)
    assert market.last_trade_id > before
    assert abs(market.last_price - 72_000) < 720


def test_the_same_tape_and_seed_give_the_same_market_however_time_is_cut() -> None:
    text = jumpy(60)
    states = []
    for step_ms in (10, 50, 250):
        venue, market = taped(text)
        run(venue, 20, step_ms)
        states.append(
            (market.quote, market.trades(200), [(level.price, level.qty) for level in market.levels("buy", 50)])
        )
    assert states[0] == states[1] == states[2]


def test_what_is_on_the_way_of_the_tape_is_filled_at_its_own_price() -> None:
    venue, _ = taped("100,7000,1\n110,7050,1\n120,6950,2\n")
    run(venue, 1)
    ann = venue.welcome("ann", venue.now_ns)
    bids = [
        AddOrder(symbol="BTC/USD", side="buy", order_type="limit", order_qty=Decimal(qty), limit_price=Decimal(price))
        for price, qty in (("6960", "0.3"), ("6950", "0.4"), ("6940", "0.5"))
    ]
    for bid in bids:
        venue.exchange.execute(ann, bid, venue.now_ns)
    run(venue, 15)
    assert len(ann.open_orders) == 3
    run(venue, 6)
    fills = [(fill.price, fill.qty) for fill in ann.fills]
    assert fills[0] == (69_600, 30_000_000)
    assert fills[1][0] == 69_500
    assert [order.price for order in ann.open_orders.values()] == [69_400]
    for asset in ("BTC", "USD"):
        assert venue.ledger.total(asset) == 0


def test_while_matching_stands_still_the_tape_waits() -> None:
    venue, market = taped("100,7000,1\n101,7100,1\n")
    run(venue, 0.5)
    venue.set_status("cancel_only")
    run(venue, 5)
    assert market.last_price == 70_000
    venue.set_status("online")
    run(venue, 0.6)
    assert 71_000 in {trade.price for trade in market.trades(20)}
