"""The plain blocking program: connect, subscribe to trades, print whatever comes, for ever.

Needs nothing but the websocket-client package. `three_lines_blocking.py` does the same with krakenwire.

usage: article_blocking.py [URL] [how many messages]
"""

import json
import sys
from itertools import count, islice

from websocket import create_connection

url = sys.argv[1] if len(sys.argv) > 1 else "wss://ws.kraken.com"
limit = int(sys.argv[2]) if len(sys.argv) > 2 else None

connection = create_connection(url, timeout=30)
connection.send(
    json.dumps({"event": "subscribe", "subscription": {"name": "trade"}, "pair": ["XBT/USD", "XRP/USD"]}),
)
for _ in islice(count(), limit):
    print(connection.recv(), flush=True)
connection.close()
