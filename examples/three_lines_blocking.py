"""Print trades for ever: the article's first program in three lines.

usage: three_lines_blocking.py [live | local | URL] [how many]
"""

import sys
from itertools import islice

from krakenwire import Kraken

on = sys.argv[1] if len(sys.argv) > 1 else "live"
count = int(sys.argv[2]) if len(sys.argv) > 2 else None

with Kraken(on) as kraken:
    for trade in islice(kraken.trades("BTC/USD", "XRP/USD"), count):
        print(trade.symbol, trade.side, trade.price, trade.qty)
