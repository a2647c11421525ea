"""krakenwire for asyncio: `async for` over market data."""

from krakenwire.apps.kraken_aio import Kraken
from krakenwire.client.aio import Listener, Stream, run

__all__ = ["Kraken", "Listener", "Stream", "run"]
