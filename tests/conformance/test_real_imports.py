"""Files of trades and candles that others keep: all of them become tapes, and the tapes say what the files say.

The material belongs to others and is read where it lies; without it these tests skip.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from krakenwire.apps.market_data import market_data
from krakenwire.apps.tape_import import import_files
from krakenwire.errors import ConfigError
from krakenwire.model.rows import BUY, EVENT, MARKET, SELL
from krakenwire.storage.tape_reader import Tape

TRADES = {
    "BCHEUR.csv": ("BCH/EUR", 148, "tick rule", 2),
    "BCHEUR_incremental_q2.csv": ("BCH/EUR", 486, "tick rule", 2),
    "ETHUSD-trades_2018-05-08_2018-05-11.csv.gz": ("ETH/USD", 65_412, "told", 2),
    "ETHUSD-trades_2018-05-13_2018-05-18.csv.gz": ("ETH/USD", 82_811, "told", 2),
    "USDTUSD-trades_2018-05-07_2018-06-24.csv.gz": ("USDT/USD", 41_133, "told", 4),
    "XBTUSD-trades_2018-05-08_2018-05-11.csv.gz": ("BTC/USD", 55_305, "told", 1),
    "XBTUSD-trades_2018-05-13_2018-05-18.csv.gz": ("BTC/USD", 82_493, "told", 1),
}
QUICK = ("BCHEUR.csv", "BCHEUR_incremental_q2.csv", "USDTUSD-trades_2018-05-07_2018-06-24.csv.gz")
CANDLES = {60: 2_160, 720: 180, 1440: 90, 15: 8_635, 5: 25_901}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.nightly) for name in TRADES]
)
def test_a_file_of_trades_becomes_a_tape(shared: Path, tmp_path: Path, name: str) -> None:
    symbol, trades, sides, decimals = TRADES[name]
    report = import_files([shared / "data/real/trades" / name], symbol, tmp_path / "tape")
    assert (report.rows, report.sides, report.price_decimals, report.qty_decimals) == (trades, sides, decimals, 8)
    data = market_data(Tape(tmp_path / "tape"))
    rows = data.rows[data.rows["kind"] != EVENT]
    assert set(rows["kind"]) <= {BUY, SELL}
    assert rows["aux"].tolist() == list(range(1, trades + 1))
    assert (np.diff(rows["time_ns"]) >= 0).all()
    assert bool((rows["flags"] & MARKET).any()) is (sides == "told")
    assert data.counters.fallbacks == data.counters.malformed == 0


@pytest.mark.parametrize(
    "minutes", [pytest.param(minutes, marks=pytest.mark.nightly if minutes < 60 else ()) for minutes in CANDLES]
)
def test_a_file_of_candles_becomes_a_tape(shared: Path, tmp_path: Path, minutes: int) -> None:
    file = shared / "data/real/ohlc" / f"XBTUSD_{minutes}.csv.gz"
    report = import_files([file], "BTC/USD", tmp_path / "tape")
    assert (report.kind, report.interval, report.rows) == ("candles", minutes, CANDLES[minutes])
    data = market_data(Tape(tmp_path / "tape"))
    candles = [event for event in data.objects if event.channel == "ohlc"]
    assert len(candles) == CANDLES[minutes]
    assert set(data.rows["kind"]) == {EVENT}


def test_a_file_of_quotes_is_refused(shared: Path, tmp_path: Path) -> None:
    file = shared / "data/real/trades/XBTUSD-spreads_2018-05-13on.csv.gz"
    with pytest.raises(ConfigError, match="no trade"):
        import_files([file], "BTC/USD", tmp_path / "tape")
    assert not list(tmp_path.iterdir())
