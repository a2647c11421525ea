"""The configuration of a bot: defaults, what is read, and what is refused with the key and the nearest there is."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from krakenwire.apps.bot_config import BotConfig, bot_config_from, read_bot_config
from krakenwire.errors import ConfigError

TEXT = """
[bot]
quote = "EUR"
on_error = "continue"
margin = true

[parameters]
fast = 5

[balances]
EUR = 2500.50

[fees]
maker_percent = 0.10
taker_percent = 0.2

[latency]
entry_ms = 1.5
report_ms = 0

[fills]
queue = "proportional"
trades_only_queue_lots = 7

[risk]
order_notional_max = 10

[live]
enabled = true
"""


def test_everything_is_optional() -> None:
    config = bot_config_from({})
    assert config == BotConfig()
    assert config.balances_of(("BTC/EUR", "ETH/EUR")) == {"EUR": 10_000}
    assert not config.live_enabled


def test_a_file_is_read_exactly(tmp_path: Path) -> None:
    path = tmp_path / "bot.toml"
    path.write_text(TEXT)
    config = read_bot_config(path)
    assert (config.quote, config.on_error, config.margin, config.live_enabled) == ("EUR", "continue", True, True)
    assert config.parameters == {"fast": 5}
    assert config.balances_of(("BTC/USD",)) == {"EUR": Decimal("2500.50")}
    assert (config.model.maker_fee, config.model.taker_fee) == (Decimal("0.001"), Decimal("0.002"))
    assert (config.model.entry_latency_ns, config.model.report_latency_ns) == (1_500_000, 0)
    assert (config.model.queue, config.model.trades_only_queue_lots) == ("proportional", 7)
    assert config.limits.order_notional_max == 10


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"bots": {}}, 'bots is not known.*Did you mean "bot"'),
        ({"latency": {"entry_s": 1}}, 'latency.entry_s is not known.*Did you mean "entry_ms"'),
        ({"fees": {"maker_pct": 1}}, 'fees.maker_pct is not known.*Did you mean "maker_percent"'),
        ({"fees": {"maker_percent": 40}}, "fees.maker_percent: expected a number from 0 to 10"),
        ({"fees": {"maker_percent": 0.1}}, "fees.maker_percent: .*A float is not exact"),
        ({"latency": {"entry_ms": "20ms"}}, "latency.entry_ms: expected a number"),
        ({"bot": {"on_error": "ignore"}}, "bot.on_error: expected one of stop, continue"),
        ({"balances": {"USD": -1}}, "balances.USD"),
        ({"balances": 5}, "balances: expected a table"),
        ({"parameters": 5}, "parameters: expected a table"),
        ({"risk": {"order_notional": 5}}, 'Did you mean "order_notional_max"'),
        ({"live": {"enabled": 1}}, "live.enabled: expected true or false"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(document: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        bot_config_from(document)


@pytest.mark.parametrize(("content", "named"), [(b"[bot", "TOML"), (b"\xff", "TOML"), (None, "a readable file")])
def test_a_file_that_cannot_be_read_is_named(content: bytes | None, named: str, tmp_path: Path) -> None:
    path = tmp_path / "bot.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"bot\.toml: expected {named}"):
        read_bot_config(path)


def test_what_cannot_be_in_a_file_is_named_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bot.toml"
    path.write_text("[latency]\nentry_s = 1\n")
    with pytest.raises(ConfigError, match=r'bot\.toml: latency\.entry_s is not known.*Did you mean "entry_ms"'):
        read_bot_config(path)


def test_the_configuration_in_the_document_is_one() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "howto" / "strategy.md").read_text()
    config = bot_config_from(tomllib.loads(text.split("```toml\n")[1].split("```")[0], parse_float=Decimal))
    assert config.balances == {"USD": 5_000, "BTC": Decimal("0.1")}
    assert (config.model, config.limits.order_notional_max) == (BotConfig().model, 2_000)
