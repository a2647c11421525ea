"""Metrics of a bot, scraped over loopback and parsed as Prometheus would."""

from __future__ import annotations

import re
import socket
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.unit.cli.bot_values import FILL, NOTE, NOW, SENT, STATUS

from krakenwire.apps.bot_metrics import METRIC_NAMES, BotMetrics
from krakenwire.errors import ConfigError, MissingExtraError

pytest.importorskip("prometheus_client")

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "bot-metrics.md"
OPEN = msgspec.structs.replace(SENT, state="open", time_ns=NOW + 1_000_000)
Samples = dict[str, float]


@pytest.fixture
def metrics() -> Iterator[BotMetrics]:
    with BotMetrics(0) as made:
        yield made


def page(metrics: BotMetrics) -> str:
    with urllib.request.urlopen(metrics.address, timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        return str(answer.read().decode())


def scraped(metrics: BotMetrics) -> Samples:
    """Every sample of ours, by its name and the values of its labels, sorted by label."""
    from prometheus_client.parser import text_string_to_metric_families

    families = [f for f in text_string_to_metric_families(page(metrics)) if f.name.startswith("krakenwire_")]
    assert all(family.documentation for family in families)
    return {
        "/".join([sample.name.removeprefix("krakenwire_bot_"), *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_status_is_told_with_its_units(metrics: BotMetrics) -> None:
    metrics.on_status(STATUS)
    told = scraped(metrics)
    assert told["equity_quote_units/USD"] == 100012.345
    assert (told["day_profit_quote_units/USD"], told["profit_quote_units/USD"]) == (-4.5, 12.345)
    assert (told["position_base_units/BTC/USD"], told["balance_units/BTC"]) == (0.1, 0.1)
    assert (told["open_orders/buy/BTC/USD"], told["open_orders/sell/BTC/USD"]) == (1, 0)
    assert (told["feed_live/BTC/USD"], told["feed_live/ETH/USD"]) == (1, 0)
    assert told["feed_age_seconds/BTC/USD"] == 0.12
    assert (told["feed_gaps_total/BTC/USD"], told["feed_conflated_total/BTC/USD"]) == (1, 1234)
    assert (told["feed_frames_total"], told["checksums_verified_total"], told["checksums_failed_total"]) == (
        123_456,
        100_000,
        0,
    )
    assert (told["events_dropped_total"], told["events_waiting"], told["slow_callbacks_total"]) == (0, 3, 1)
    assert (told["state/running"], told["state/ended"], told["stopped"], told["alarm"]) == (1, 0, 0, 0)
    assert told["event_to_order_seconds"] == 480.5e-6
    assert told["status_age_seconds"] >= 0


def test_what_is_not_known_has_no_sample(metrics: BotMetrics) -> None:
    assert "equity_quote_units/USD" not in scraped(metrics)
    metrics.on_status(msgspec.structs.replace(STATUS, equity=None, latency_us=None))
    told = scraped(metrics)
    assert not {"equity_quote_units/USD", "event_to_order_seconds", "feed_age_seconds/ETH/USD"} & set(told)


def test_use_of_a_limit_is_a_ratio_and_a_limit_of_zero_has_none(metrics: BotMetrics) -> None:
    metrics.on_status(STATUS)
    told = scraped(metrics)
    assert (told["risk_use_ratio/open_orders_max"], told["risk_use_ratio/position_notional_max"]) == (0.1, 1.2)
    assert "risk_use_ratio/orders_per_day_max" not in told


def test_a_stop_and_an_alarm_are_told(metrics: BotMetrics) -> None:
    metrics.on_status(msgspec.structs.replace(STATUS, stop="paused", alarm="unknown order", state="stopping"))
    told = scraped(metrics)
    assert (told["stopped"], told["alarm"], told["state/stopping"]) == (1, 1, 1)


def test_rows_are_counted_as_they_come(metrics: BotMetrics) -> None:
    metrics.on_rows([SENT, OPEN, FILL, NOTE])
    metrics.on_rows([msgspec.structs.replace(FILL, maker=False)])
    told = scraped(metrics)
    assert told["orders_sent_total/buy/BTC/USD"] == 1
    assert (told["fills_total/maker/buy/BTC/USD"], told["fills_total/taker/buy/BTC/USD"]) == (1, 1)
    assert told["fees_quote_units_total/USD"] == 0.000003
    assert told["turnover_quote_units_total/USD"] == 0.0012
    assert told["notes_total/slow"] == 1


def test_refusals_are_counted_by_the_limit_that_refused_and_the_venues_apart(metrics: BotMetrics) -> None:
    risk = msgspec.structs.replace(NOTE, kind="risk", rule="open_orders_max")
    refused_here = msgspec.structs.replace(SENT, id="b2", state="refused")
    refused_there = msgspec.structs.replace(SENT, state="refused")
    metrics.on_rows([refused_here, risk, risk, SENT, refused_there])
    told = scraped(metrics)
    assert (told["orders_refused_total/open_orders_max"], told["orders_refused_total/venue"]) == (2, 1)
    assert told["order_latency_seconds_count"] == 0


def test_latency_counts_from_the_decision_until_the_venue_has_the_order(metrics: BotMetrics) -> None:
    unknown = msgspec.structs.replace(SENT, state="unknown")
    again = msgspec.structs.replace(OPEN, state="partly_filled", time_ns=NOW + 9_000_000_000)
    metrics.on_rows([SENT, unknown, OPEN, again])
    told = scraped(metrics)
    assert (told["order_latency_seconds_count"], told["order_latency_seconds_sum"]) == (1, 0.0025)
    assert (told["order_latency_seconds_bucket/0.001"], told["order_latency_seconds_bucket/0.0025"]) == (0, 1)
    assert told["order_latency_seconds_bucket/+Inf"] == 1


def test_the_process_is_told_of_and_nothing_of_other_registries(metrics: BotMetrics) -> None:
    from prometheus_client import Counter

    Counter("krakenwire_of_somebody_else", "in the registry that programs share").inc()
    told = page(metrics)
    assert "process_" in told or sys.platform != "linux"
    assert "somebody_else" not in told


def test_every_name_is_told_and_stands_in_the_reference_with_what_it_means(metrics: BotMetrics) -> None:
    metrics.on_status(STATUS)
    told = set(re.findall(r"^# HELP (krakenwire_bot_\w+)", page(metrics), re.MULTILINE))
    assert told == set(METRIC_NAMES)
    documented = re.findall(r"^\| `(krakenwire_bot_\w+)`", PAGE.read_text(), re.MULTILINE)
    assert documented == list(METRIC_NAMES)


def test_a_port_that_is_in_use_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"--metrics.*free port.*{port}: in use"):
            BotMetrics(port)


@pytest.mark.parametrize("port", [-1, 65_536])
def test_what_is_no_port_is_a_clear_error(port: int) -> None:
    with pytest.raises(ConfigError, match="--metrics"):
        BotMetrics(port)


def test_without_its_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MissingExtraError, match=r"krakenwire\[bot\]"):
        BotMetrics(0)


def test_a_closed_page_leaves_its_port_to_others() -> None:
    with BotMetrics(0) as first:
        page(first)
    with BotMetrics(first.port) as second:
        assert second.port == first.port
