"""Every example strategy in every world, as a person starts it: the command, a local Kraken, a recorded tape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.command import run_here

from krakenwire import Kraken
from krakenwire.apps.local_venue import LocalVenue
from krakenwire.cli.exit_codes import OK
from krakenwire.testing import local_kraken

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "strategies"
SECONDS = 2

SETTINGS = {
    "grid": ["step_bps=1"],
    "ma_cross": ["fast=2", "slow=3"],
    "market_maker": ["half_spread_bps=1"],
    "price_alert_buyer": ["below=1000000"],
    "rebalancer": [],
    "twap": ["seconds=1", "slices=2", "total=0.002"],
}
AT_ONCE = {"grid", "market_maker", "price_alert_buyer", "twap"}
"""Those that decide something within a few seconds."""


ACCOUNT = """
[[accounts]]
name = "{name}"
balances = {{ USD = 100_000 }}
keys = [{{ nonce_window = 1_000_000 }}]
"""


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalVenue]:
    config = tmp_path_factory.mktemp("venue") / "venue.toml"
    config.write_text("".join(ACCOUNT.format(name=name) for name in SETTINGS))
    with local_kraken(seed=4, rate=40, config=config) as venue:
        yield venue


@pytest.fixture(scope="module")
def tape(venue: LocalVenue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples") / "tape"
    symbols = ("BTC/USD", "ETH/USD", "--channels", "book:10,trade")
    code, _, errors = run_here("record", *symbols, "--on", venue.ws_v2, "--seconds", str(SECONDS), "--out", str(folder))
    assert code == OK, errors
    return folder


def test_no_example_is_left_out() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SETTINGS)


@pytest.mark.parametrize("world", ["backtest", "replay", "paper"])
@pytest.mark.parametrize("name", SETTINGS)
def test_an_example_runs_in_a_world(name: str, world: str, venue: LocalVenue, tape: Path) -> None:
    market = ("--on", venue.ws_v2, "--seconds", str(SECONDS)) if world == "paper" else ("--tape", str(tape))
    settings = [part for setting in SETTINGS[name] for part in ("--set", setting)]
    ends_well(name, world, *market, *settings)


@pytest.mark.parametrize("name", SETTINGS)
def test_an_example_trades_at_a_venue(
    name: str, venue: LocalVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = next(key for key in venue.keys if key.account == name)
    credentials = (own.key, own.secret.reveal())
    for variable, text in zip(("KRAKEN_API_KEY", "KRAKEN_API_SECRET"), credentials, strict=True):
        monkeypatch.setenv(variable, text)
    (tmp_path / "bot.toml").write_text("[live]\nenabled = true\n[balances]\nUSD = 10_000\n")
    settings = [part for setting in SETTINGS[name] for part in ("--set", setting)]
    switches = ("--live", "--config", str(tmp_path / "bot.toml"), "--data", str(tmp_path / "bot"))
    ends_well(name, "live", "--on", venue.ws_v2, "--seconds", str(SECONDS), *switches, *settings)
    with Kraken(venue.ws_v2, credentials=credentials) as kraken:
        assert kraken.open_orders() == {}


def ends_well(name: str, world: str, *more: str) -> None:
    code, out, errors = run_here("bot", "run", str(EXAMPLES / f"{name}.py"), "--mode", world, *more, "--json")
    assert code == OK, errors
    told = json.loads(out.splitlines()[-1])
    assert (told["mode"], told["error"]) == (world, None)
    assert told["orders_by_state"].get("unknown", 0) == 0
    assert told["open_orders"] == 0
    if name in AT_ONCE:
        assert told["decisions"] > 0
