"""krakenwire with a background thread: callbacks and queues."""

from krakenwire.apps.kraken_threaded import Kraken
from krakenwire.client.threaded import Queue

__all__ = ["Kraken", "Queue"]
