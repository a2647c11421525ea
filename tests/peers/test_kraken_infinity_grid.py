"""kraken-infinity-grid: a trading bot, from the check of its key to a grid of orders; its hosts are constants."""

from __future__ import annotations

import signal
import subprocess
import threading
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import krakenex
import pytest

USERREF = 1_680_953_421
WAIT_S = 40


def test_the_bot_passes_its_checks_places_its_grid_and_ends_when_told(led_here: Any, tmp_path: Path) -> None:
    settings = {
        "strategy": "GridHODL",
        "name": "grid",
        "base-currency": "BTC",
        "quote-currency": "USD",
        "amount-per-grid": "100",
        "interval": "0.02",
        "n-open-buy-orders": "3",
        "max-investment": "10000",
        "userref": str(USERREF),
        "fee": "0.0025",
        "sqlite-file": str(tmp_path / "grid.sqlite"),
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    keys = ["--api-key", led_here.key, "--secret-key", led_here.secret]
    bot = subprocess.Popen(
        led_here.command("kraken-infinity-grid", *keys, "run", *options),
        env={**led_here.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    too_long = threading.Timer(WAIT_S, bot.kill)
    too_long.start()
    try:
        assert bot.stdout is not None
        for line in bot.stdout:
            said.append(line)
            if sum("Updated order" in earlier for earlier in said) == 3:
                break
        orders = krakenex.API(led_here.key, led_here.secret).query_private("OpenOrders", {"userref": USERREF})
        bot.send_signal(signal.SIGINT)
        rest, _ = bot.communicate()
    finally:
        too_long.cancel()
        bot.kill()
    assert any("API keys and permissions are valid" in line for line in said), "".join(said)
    prices = sorted(Decimal(order["descr"]["price"]) for order in orders["result"]["open"].values())
    assert len(prices) == 3
    steps = [float(higher / lower) for lower, higher in pairwise(prices)]
    assert steps == pytest.approx([1.02, 1.02], rel=1e-4)
    assert "shut down successfully" in rest, rest
