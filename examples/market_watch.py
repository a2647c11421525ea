"""A market watch in one loop: the last price, the spread and the day's move of some symbols, and what went wrong.

usage: market_watch.py [live | local | URL] [how many lines]
"""

import sys
from itertools import islice

from krakenwire import Kraken

SYMBOLS = ("BTC/USD", "ETH/USD", "SOL/USD")

on = sys.argv[1] if len(sys.argv) > 1 else "live"
count = int(sys.argv[2]) if len(sys.argv) > 2 else None

with Kraken(on) as kraken:
    for ticker in islice(kraken.ticker(*SYMBOLS), count):
        spread = ticker.ask - ticker.bid
        print(f"{ticker.symbol:9} {ticker.last:>14f}  spread {spread:f}  24 h {ticker.change_pct:+} %")
    seen = kraken.counters
    print(f"frames {seen.frames}, reconnects {seen.reconnects}, gaps {seen.gaps}, unknown {seen.unknown}")
