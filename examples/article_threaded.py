"""The plain threaded program: messages arrive in the background while the main thread does its own work.

Needs nothing but the websocket-client package. `three_lines_threaded.py` does the same with krakenwire.

usage: article_threaded.py [URL] [how many messages]
"""

import json
import sys
import threading
from itertools import count

from websocket import WebSocketApp

url = sys.argv[1] if len(sys.argv) > 1 else "wss://ws.kraken.com"
limit = int(sys.argv[2]) if len(sys.argv) > 2 else None
seen = count(1)


def on_open(app: WebSocketApp) -> None:
    app.send(
        json.dumps({"event": "subscribe", "subscription": {"name": "trade"}, "pair": ["XBT/USD", "XRP/USD"]}),
    )


def on_message(app: WebSocketApp, message: str) -> None:
    print(message, flush=True)
    if next(seen) == limit:
        app.close()


def on_error(_: WebSocketApp, error: Exception) -> None:
    print(f"error: {error}", file=sys.stderr)


program = WebSocketApp(url, on_open=on_open, on_message=on_message, on_error=on_error)
receiver = threading.Thread(target=program.run_forever)
receiver.start()
for second in count(1):
    receiver.join(timeout=1)
    if not receiver.is_alive():
        break
    print(f"main thread at work, second {second}", file=sys.stderr)
