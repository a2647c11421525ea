"""Events of the compiled pass pass for those of the model: by type, attribute, equality, text and pickle."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal, localcontext

import pytest

from krakenwire import _native
from krakenwire.book import FrozenL2Book
from krakenwire.model import BookUpdate, Level, Ticker, Trade, Trades
from krakenwire.model.numbers import fixed_text
from krakenwire.protocol import v1, v2
from krakenwire.session import Feed

pytestmark = pytest.mark.skipif(not _native.ENABLED, reason="the compiled twins are not in use")

TIME = "2026-01-02T03:04:05.000006Z"
BOOK = (
    '{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[{"price":100.0,"qty":5.00000000},'
    '{"price":99.5,"qty":0.07000000}],"asks":[{"price":101.0,"qty":3.00000000}],"checksum":%d,"timestamp":"'
    + TIME
    + '"}]}'
)
TRADES = (
    '{"channel":"trade","type":"snapshot","data":[{"symbol":"BTC/USD","side":"buy","price":100.0,"qty":0.01000000,'
    '"ord_type":"limit","trade_id":7,"timestamp":"' + TIME + '"},{"symbol":"BTC/USD","side":"sell","price":99.5,'
    '"qty":2,"ord_type":"market","trade_id":8,"timestamp":"' + TIME + '"}]}'
)
TICKER = (
    '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":100.0,"bid_qty":1.50000000,"ask":101.0,'
    '"ask_qty":2.00000000,"last":100.0,"volume":3.00000000,"vwap":100.5,"low":99.0,"high":102.0,"change":-0.5,'
    '"change_pct":-0.50}]}'
)
V1_BOOK = (
    '[1,{"as":[["101.0","3.0","1767323045.000006","r"]],"bs":[["100.0","5.00","1767323045.000005"]]},'
    '"book-10","XBT/USD"]'
)
V1_TRADE = '[1,[["100.0","0.01","1767323045.000006","b","l",""]],"trade","XBT/USD"]'


def both(frame: str, version: int = 2) -> tuple[object, object]:
    """The event of a frame by either twin."""
    codec = v1.ClientCodec if version == 1 else v2.ClientCodec
    native, pure = Feed(codec(), native=True), Feed(codec(), native=False)
    (fast,), (slow,) = native.feed(frame), pure.feed(frame)
    assert native.counters.fallbacks == 0
    return fast, slow


def book_frame() -> str:
    feed = Feed(v2.ClientCodec(), native=False)
    failed = feed.feed(BOOK % 0)[1]
    return BOOK % failed.found  # type: ignore[union-attr]


FRAMES = [
    pytest.param(book_frame(), 2, BookUpdate, id="book"),
    pytest.param(TRADES, 2, Trades, id="trades"),
    pytest.param(TICKER, 2, Ticker, id="ticker"),
    pytest.param(V1_BOOK, 1, BookUpdate, id="v1 book"),
    pytest.param(V1_TRADE, 1, Trades, id="v1 trade"),
]


@pytest.mark.parametrize(("frame", "version", "model"), FRAMES)
def test_compiled_event_passes_for_the_model(frame: str, version: int, model: type) -> None:
    fast, slow = both(frame, version)
    assert type(fast) is not model
    assert isinstance(fast, model)
    assert fast.__class__ is model
    assert fast == slow
    assert slow == fast
    assert hash(fast) == hash(slow)
    assert repr(fast) == repr(slow)
    assert fast.channel == slow.channel  # type: ignore[attr-defined]
    assert fast.__struct_fields__ == slow.__struct_fields__  # type: ignore[attr-defined]


@pytest.mark.parametrize(("frame", "version", "model"), FRAMES)
def test_every_attribute_of_the_model_is_there_and_equal(frame: str, version: int, model: type) -> None:
    fast, slow = both(frame, version)
    for name in model.__struct_fields__:  # type: ignore[attr-defined]
        mine, theirs = getattr(fast, name), getattr(slow, name)
        if name == "book":
            assert (mine.bids, mine.asks) == (theirs.bids, theirs.asks)
        elif name == "time":
            assert mine == slow.time_ns  # type: ignore[attr-defined]
        elif name.startswith("wire"):
            assert list(mine) == list(theirs)
        else:
            assert mine == theirs
            assert type(mine) is type(theirs)


@pytest.mark.parametrize(("frame", "version", "model"), FRAMES)
def test_event_matches_the_pattern_of_its_model(frame: str, version: int, model: type) -> None:
    fast, _ = both(frame, version)
    match fast:
        case BookUpdate(symbol=symbol) | Trades(symbol=symbol) | Ticker(symbol=symbol):
            assert symbol == "BTC/USD"
        case _:
            pytest.fail(f"{model.__name__} was not matched")


@pytest.mark.parametrize(("frame", "version", "model"), FRAMES)
def test_event_is_pickled_and_copied_as_its_model(frame: str, version: int, model: type) -> None:
    fast, slow = both(frame, version)
    if isinstance(fast, BookUpdate):
        assert fast.book is not None
        fast.book = fast.book.freeze()
    again = pickle.loads(pickle.dumps(fast))
    assert type(again) is model
    assert again == slow
    assert copy.copy(fast) == slow


def test_decimals_keep_the_zeros_of_the_wire_whatever_the_context() -> None:
    with localcontext(prec=1):
        fast, _ = both(book_frame())
        assert isinstance(fast, BookUpdate)
        assert fast.bids == (
            Level(Decimal("100.0"), Decimal("5.00000000")),
            Level(Decimal("99.5"), Decimal("0.07000000")),
        )
        assert [str(level.qty) for level in fast.bids] == ["5.00000000", "0.07000000"]


def test_trades_are_trades_of_the_model() -> None:
    fast, _ = both(TRADES)
    assert isinstance(fast, Trades)
    assert [type(trade) for trade in fast.trades] == [Trade, Trade]
    assert fast.trades is fast.trades


def test_events_outlive_their_frame_and_feed() -> None:
    feed = Feed(v2.ClientCodec(), native=True)
    kept = [feed.feed(TRADES)[0] for _ in range(3)]
    tickers = [feed.feed(TICKER.replace("100.0", fixed_text(price, 1)))[0] for price in range(1, 200)]
    del feed
    assert all(event == kept[0] for event in kept)
    assert [str(ticker.bid) for ticker in tickers] == [fixed_text(price, 1) for price in range(1, 200)]  # type: ignore[union-attr]


def test_facts_of_an_event_cannot_be_changed() -> None:
    for frame in (TRADES, TICKER):
        fast, _ = both(frame)
        for name in ("symbol", "kind", "channel", "bid", "trades"):
            with pytest.raises((AttributeError, TypeError)):
                setattr(fast, name, None)


def test_event_of_a_frozen_book_is_the_books_of_that_moment() -> None:
    fast, _ = both(book_frame())
    assert isinstance(fast, BookUpdate)
    assert fast.book is not None
    frozen = fast.book.freeze()
    assert isinstance(frozen, FrozenL2Book)
    assert frozen.best_bid == Decimal("100.0")


def test_v1_times_keep_their_leading_zeros() -> None:
    fast, slow = both(V1_BOOK.replace("1767323045.000005", "0767323045.000005"), version=1)
    assert isinstance(fast, BookUpdate)
    assert isinstance(slow, BookUpdate)
    assert list(fast.wire_bids) == list(slow.wire_bids) == [("100.0", "5.00", "0767323045.000005")]


def test_a_tuple_of_events_that_is_used_again_hashes_by_what_is_in_it_now() -> None:
    feed = Feed(v2.ClientCodec(), verify=False, native=True)
    for price in (100.0, 100.1, 100.2):
        events = feed.feed(BOOK.replace("100.0", str(price)) % 0)
        assert hash(events) == hash((*events,))
        del events
