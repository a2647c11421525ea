"""Balances to the last digit, average costs, and the worth of everything in one asset."""

from __future__ import annotations

from decimal import Decimal

import pytest

from krakenwire.errors import ConfigError
from krakenwire.model.rows import Listing
from krakenwire.trading.markets import SymbolMarket
from krakenwire.trading.portfolio import Portfolio

D = Decimal


class Book:
    """A book of one level a side."""

    def __init__(self, bid: int, ask: int) -> None:
        self.live, self.time_ns, self.bid_ticks, self.ask_ticks = True, 0, bid, ask

    @property
    def touch_sum(self) -> int:
        return self.bid_ticks + self.ask_ticks if self.live and self.bid_ticks and self.ask_ticks else 0


def market(symbol: str, bid: int, ask: int, decimals: int = 0) -> SymbolMarket:
    return SymbolMarket(0, Listing(symbol=symbol, price_decimals=decimals, depth=10), Book(bid, ask))


def test_fills_change_balances_to_the_last_digit_however_long_the_numbers_are() -> None:
    coin = market("SHIB/USD", 1, 3, 18)
    portfolio = Portfolio({"USD": D("123456789012345.67")}, "USD", (coin,))
    price, qty, fee = D("0.000009876543210987"), D("9876543210.123456789"), D("0.000000000000000000000000000123")
    portfolio.apply(coin, "buy", price, qty, fee)
    portfolio.apply(coin, "sell", price, qty, fee)
    assert portfolio.cash == D("123456789012345.669999999999999999999999999754")
    assert portfolio.position("SHIB/USD") == 0
    assert portfolio.realised("SHIB/USD") == 0


def test_average_cost_follows_purchases_and_stays_while_selling() -> None:
    coin = market("BTC/USD", 119, 121)
    portfolio = Portfolio({"USD": D(1000)}, "USD", (coin,))
    portfolio.apply(coin, "buy", D(100), D(1), D(1))
    portfolio.apply(coin, "buy", D(110), D(1), D(1))
    assert portfolio.average_cost("BTC/USD") == 105
    portfolio.apply(coin, "sell", D(125), D(1), D(1))
    assert portfolio.average_cost("BTC/USD") == 105
    assert (portfolio.realised("BTC/USD"), portfolio.unrealised("BTC/USD")) == (20, 15)
    assert portfolio.fees == {"USD": 3}
    assert portfolio.turnover == {"USD": 335}
    assert portfolio.equity == 1000 + 20 + 15 - 3
    assert portfolio.exposure == 120


def test_a_sale_beyond_what_is_there_turns_the_position_round() -> None:
    coin = market("BTC/USD", 89, 91)
    portfolio = Portfolio({}, "USD", (coin,))
    portfolio.apply(coin, "buy", D(100), D(1), D(0))
    portfolio.apply(coin, "sell", D(110), D(3), D(0))
    assert (portfolio.realised("BTC/USD"), portfolio.average_cost("BTC/USD")) == (10, 110)
    assert (portfolio.unrealised("BTC/USD"), portfolio.exposure) == (40, 180)
    portfolio.apply(coin, "buy", D(90), D(2), D(0))
    assert (portfolio.realised("BTC/USD"), portfolio.average_cost("BTC/USD"), portfolio.equity) == (50, None, 50)


def test_what_was_there_at_the_start_counts_as_bought_at_the_first_price() -> None:
    coin = market("BTC/USD", 99, 101)
    portfolio = Portfolio({"BTC": D(2)}, "USD", (coin,))
    assert (portfolio.average_cost("BTC/USD"), portfolio.unrealised("BTC/USD")) == (None, 0)
    assert portfolio.price_start()
    portfolio.apply(coin, "sell", D(150), D(1), D(0))
    assert (portfolio.realised("BTC/USD"), portfolio.unrealised("BTC/USD")) == (50, 0)


def test_what_is_priced_in_a_third_asset_is_worth_what_that_is_worth() -> None:
    bitcoin, ether = market("BTC/USD", 99, 101), market("ETH/BTC", 4, 6, 2)
    portfolio = Portfolio({"USD": D(1), "ETH": D(10)}, "USD", (ether, bitcoin))
    assert portfolio.equity == 1 + D(10) * D("0.05") * 100


def test_equity_keeps_the_last_price_of_a_book_that_is_not_live() -> None:
    coin = market("BTC/USD", 99, 101)
    portfolio = Portfolio({"BTC": D(1)}, "USD", (coin,))
    assert portfolio.equity == 100
    coin._book.live = False  # type: ignore[misc]
    assert (coin.mid(), portfolio.equity) == (None, 100)


def test_an_asset_that_nothing_prices_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="the worth of XRP"):
        Portfolio({"XRP": D(1)}, "USD", (market("BTC/USD", 1, 2),))
