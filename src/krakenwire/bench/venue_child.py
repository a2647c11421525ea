"""The local Kraken that is measured, in a process of its own: `python -m krakenwire.bench.venue_child ACCOUNTS MODE`.

One process, one loop, as `krakenwire venue` runs it, its crowd included; its
accounts have no limits, and messages are counted but never too many. Beside it,
in the same loop and on the same server stack, a plain JSON echo: the yardstick,
and what the process has cost. It prints its addresses and keys and ends with
its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
from aiohttp import WSMsgType, web

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.model.secrets import Secret
from krakenwire.venue.access.keys import ApiKey
from krakenwire.venue.access.pace import AccountLimits
from krakenwire.venue.config.accounts_config import AccountConfig

__all__ = ["SECRET", "main"]

SECRET: Final = "AAAA"
_CONFIG: Final = "[venue]\nmessage_rate = { threshold = 1000000000, decay_per_s = 1000000 }\n"
_MONEY: Final = {"USD": Decimal(10**9), "BTC": Decimal(10**4), "ETH": Decimal(10**6)}


def _account(number: int) -> AccountConfig:
    key = ApiKey(key=f"key{number}", secret=Secret(SECRET), account=f"account {number}", rate_limited=False)
    return AccountConfig(name=f"account {number}", balances=_MONEY, limits=AccountLimits(), keys=(key,))


async def _echo(request: web.Request) -> web.WebSocketResponse:
    """Answer each request with as many bytes as it asks for."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            asked = msgspec.json.decode(message.data)
            reply = {"req_id": asked["req_id"], "pad": "x" * asked["reply"]}
            await socket.send_str(msgspec.json.encode(reply).decode())
    return socket


async def _cpu(_: web.Request) -> web.Response:
    """Tell the processor time of this process so far, in seconds."""
    return web.Response(text=str(time.process_time()))


async def _echo_port() -> int:
    application = web.Application()
    application.router.add_get("/", _echo)
    application.router.add_get("/cpu", _cpu)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return int(runner.addresses[0][1])


def _venue(accounts: int) -> LocalVenue:
    with TemporaryDirectory() as folder:
        config = Path(folder, "venue.toml")
        config.write_text(_CONFIG, encoding="utf-8")
        return LocalVenue(accounts=[_account(number) for number in range(accounts)], config=config)


async def _serve(accounts: int, mode: str) -> None:
    echo, stopping = await _echo_port(), asyncio.Event()
    venue = _venue(accounts)

    def ready(venue: LocalVenue) -> None:
        venue.set_status(mode)
        sys.stdout.write(json.dumps([venue.port, echo, [key.key for key in venue.keys]]) + "\n")
        sys.stdout.flush()

    serving = asyncio.create_task(venue.serve(ready, stopping))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    stopping.set()
    await serving


def main() -> None:
    """Serve until the standard input ends."""
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2]))


if __name__ == "__main__":
    main()
