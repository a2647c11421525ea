"""Follow verified books and trades of several symbols at once with asyncio.

usage: asyncio_books.py [live | local | URL] [how many books]
"""

import asyncio
import sys

from krakenwire.aio import Kraken


async def print_trades(kraken: Kraken) -> None:
    async for trade in kraken.trades("BTC/USD", "ETH/USD"):
        print(f"  trade {trade.symbol} {trade.side} {trade.qty} at {trade.price}")


async def main(on: str, count: int) -> None:
    async with Kraken(on) as kraken:
        trades = asyncio.create_task(print_trades(kraken))
        seen = 0
        async for book in kraken.books("BTC/USD", "ETH/USD", depth=25):
            print(book.symbol, book.best_bid, book.best_ask, f"spread {book.spread} verified {book.verified}")
            seen += 1
            if seen == count:
                break
        trades.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "live", int(sys.argv[2]) if len(sys.argv) > 2 else 0))
