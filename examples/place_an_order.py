"""Place an order away from the market, see it, cancel it, and count the money - in each of the three styles.

With an address, key and secret come from KRAKEN_API_KEY and KRAKEN_API_SECRET. It places
nothing anywhere but on this machine: for that a client needs trading= as well.

usage: place_an_order.py [local | URL] [blocking | threaded | asyncio]
"""

import asyncio
import sys

import krakenwire
import krakenwire.aio
import krakenwire.threaded
from krakenwire.errors import OutcomeUnknown, VenueRefusal

ORDER = ("BTC/USD", "buy", "limit", "0.01", "20000")

on = sys.argv[1] if len(sys.argv) > 1 else "local"
style = sys.argv[2] if len(sys.argv) > 2 else "blocking"


def blocking() -> None:
    with krakenwire.Kraken(on) as kraken:
        print("before:", kraken.balances()["USD"], "USD")
        try:
            placed = kraken.add_order(*ORDER)
        except VenueRefusal as refusal:
            print("refused:", refusal.error)
        except OutcomeUnknown as unknown:
            print("look before you send it again:", unknown)
        else:
            print("placed:", placed.order_id, kraken.open_orders()[placed.order_id].status)
            kraken.cancel_order(placed.order_id)
        print("after:", kraken.balances()["USD"], "USD,", len(kraken.open_orders()), "open orders")


def tell(*words: object) -> None:
    """Print a line in one piece: the callbacks come from another thread."""
    print(" ".join(map(str, words)) + "\n", end="")


def threaded() -> None:
    with krakenwire.threaded.Kraken(on, on_order=lambda order: tell("told:", order.order_id, order.status)) as kraken:
        kraken.subscribe_executions()
        tell("before:", kraken.balances()["USD"], "USD")
        placed = kraken.add_order(*ORDER)
        tell("placed:", placed.order_id)
        kraken.cancel_order(placed.order_id)
        tell("after:", kraken.balances()["USD"], "USD,", len(kraken.open_orders()), "open orders")


async def in_asyncio() -> None:
    async with krakenwire.aio.Kraken(on) as kraken:
        print("before:", (await kraken.balances())["USD"], "USD")
        placed = await kraken.add_order(*ORDER)
        print("placed:", placed.order_id, (await kraken.open_orders())[placed.order_id].status)
        await kraken.cancel_order(placed.order_id)
        print("after:", (await kraken.balances())["USD"], "USD,", len(await kraken.open_orders()), "open orders")


if style == "asyncio":
    asyncio.run(in_asyncio())
else:
    {"blocking": blocking, "threaded": threaded}[style]()
