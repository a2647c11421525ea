"""Trades arrive in the background while the main thread does its own work: the article's second program.

usage: three_lines_threaded.py [live | local | URL] [seconds]
"""

import sys
import time

from krakenwire.threaded import Kraken

on = sys.argv[1] if len(sys.argv) > 1 else "live"
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0

kraken = Kraken(on, on_trade=print)
kraken.subscribe_trades("BTC/USD", "XRP/USD")
kraken.start()

for second in range(int(seconds)):
    print(f"main thread at work, second {second + 1}")
    time.sleep(1)
kraken.stop()
