"""For your own tests: a Kraken on a free loopback port, as a context manager and as a pytest fixture.

Put ``pytest_plugins = ["krakenwire.testing.fixtures"]`` into your
``conftest.py`` to get the fixture `kraken_venue`.
"""

from krakenwire.testing.tape import replayed_tape
from krakenwire.testing.venue import local_kraken

__all__ = ["local_kraken", "replayed_tape"]
