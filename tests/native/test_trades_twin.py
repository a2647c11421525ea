"""Trades out of rows, compiled: they say what their readable twins say, and pass for the model's class."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire import _native
from krakenwire.errors import UsageError
from krakenwire.model.market import Trade
from krakenwire.model.rows import BUY, MARKET, ROW, SELL, SNAPSHOT, Listing
from krakenwire.trading import trades as pure

np = pytest.importorskip("numpy")
pytestmark = pytest.mark.skipif(not _native.BUILT, reason="the compiled twins are not built")

_AMOUNTS = st.integers(0, 2**63 - 1)
_ROWS = st.lists(
    st.tuples(
        st.integers(1, 2**62),
        st.just(0) | st.integers(1, 2**62),
        _AMOUNTS,
        _AMOUNTS,
        st.integers(-1, 2**62),
        st.just(0),
        st.sampled_from([BUY, SELL]),
        st.sampled_from([0, MARKET, SNAPSHOT, MARKET | 1]),
        st.just(0),
    ),
    max_size=6,
)


@pytest.fixture
def native() -> Any:
    from krakenwire._native import trades

    return trades


def _bytes_of(rows: list[tuple[int, ...]]) -> memoryview:
    data: memoryview = np.array(rows, dtype=ROW).view("u1").data
    return data


@given(_ROWS, st.integers(0, 10), st.integers(0, 18))
def test_both_twins_make_the_same_trades(rows: list[tuple[int, ...]], price_decimals: int, qty_decimals: int) -> None:
    from krakenwire._native import trades as native

    listing = Listing(symbol="BTC/USD", price_decimals=price_decimals, qty_decimals=qty_decimals)
    data = _bytes_of(rows)
    for first in range(len(rows) + 1):
        made = native.TradeMaker(listing).trades_of(data, first, len(rows))
        wanted = pure.TradeMaker(listing).trades_of(data, first, len(rows))
        assert made == wanted
        assert [repr(trade) for trade in made] == [repr(trade) for trade in wanted]
        if first < len(rows):
            assert native.TradeMaker(listing).one_of(data, first) == pure.TradeMaker(listing).one_of(data, first)
        assert native.amounts_of(data, first, len(rows)) == pure.amounts_of(data, first, len(rows))


def test_a_compiled_trade_passes_for_one_of_the_model(native: Any) -> None:
    listing = Listing(symbol="BTC/USD", price_decimals=1)
    data = _bytes_of([(5, 3, 624_105, 250_000, 17, 0, BUY, MARKET, 1)])
    (trade,), (twin,) = (each.TradeMaker(listing).trades_of(data, 0, 1) for each in (native, pure))
    assert isinstance(trade, Trade)
    assert (twin, hash(trade), pickle.loads(pickle.dumps(trade))) == (trade, hash(twin), trade)
    assert trade != 1
    with pytest.raises(AttributeError):
        trade.price = 1


@pytest.mark.parametrize(("first", "end"), [(-1, 1), (0, 2), (1, 0)])
def test_rows_that_are_not_there_are_refused(native: Any, first: int, end: int) -> None:
    data = _bytes_of([(5, 3, 1, 1, 17, 0, BUY, 0, 1)])
    for read in (native.amounts_of, native.TradeMaker(Listing(symbol="A/B", price_decimals=1)).trades_of):
        with pytest.raises(UsageError):
            read(data, first, end)
        with pytest.raises(UsageError):
            read(b"not a view", first, end)
