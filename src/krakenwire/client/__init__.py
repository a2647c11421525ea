"""The clients: blocking, threaded and asyncio over one core, each in a module of its own.

`blocking`, `threaded` and `aio` hold the classes; their public faces, with a
local Kraken for ``on="local"``, are `krakenwire.Kraken`, `krakenwire.threaded.Kraken`
and `krakenwire.aio.Kraken`. Here is what they have in common.
"""

from krakenwire.client.core import ClientCounters
from krakenwire.client.environments import Addresses, Environment, environment
from krakenwire.client.options import Options, Settings
from krakenwire.client.taps import How, Parameters, PolicyName

__all__ = [
    "Addresses",
    "ClientCounters",
    "Environment",
    "How",
    "Options",
    "Parameters",
    "PolicyName",
    "Settings",
    "environment",
]
