"""krakenwire for asyncio: `async for` over market data."""

from krakenwire.apps.kraken_aio import Kraken
from krakenwire.client.aio import Stream, run

__all__ = ["Kraken", "Stream", "run"]
