"""clikraken: a command line for the shell; its host is a constant, and it checks the certificate."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Shell = Callable[..., str]


@pytest.fixture
def clikraken(hosts: Any, tmp_path: Path) -> Shell:
    settings = tmp_path / ".config" / "clikraken"
    settings.mkdir(parents=True)
    (settings / "kraken.key").write_text(f"{hosts.key}\n{hosts.secret}\n")
    (settings / "settings.ini").write_text("[clikraken]\ncurrency_pair = XXBTZUSD\ntrading_agreement = agree\n")

    def run(*args: str, **environ: str) -> str:
        ended = subprocess.run(
            hosts.command("clikraken", *args),
            env={**hosts.environ, "HOME": str(tmp_path), **environ},
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return run


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.splitlines()[2:]]


def test_its_tables_of_the_market_are_full(clikraken: Shell) -> None:
    assert ["XXBTZUSD", "XBTUSD", "XXBT", "ZUSD"] in rows(clikraken("asset_pairs"))
    assert rows(clikraken("ticker", "--pair", "XXBTZUSD"))[0][0] == "XBTUSD"
    assert clikraken("depth", "--count", "5").count("now") >= 5
    assert "Last ID = 1" in clikraken("last_trades", "--count", "7")
    assert len(rows(clikraken("ohlc", "--interval", "5"))) > 10


def test_it_places_lists_and_cancels_orders(clikraken: Shell) -> None:
    assert "not submitted" in clikraken("place", "buy", "0.01", "20000", "--validate")
    told, order_id = clikraken("place", "buy", "0.01", "20000").splitlines()
    assert told == "buy 0.01000000 XBTUSD @ limit 20000.0"
    assert [row[:5] for row in rows(clikraken("olist"))] == [[order_id, "open", "buy", "0.01", "XBTUSD"]]
    assert clikraken("cancel", order_id) == f"{order_id} - count: 1\n"
    market_id = clikraken("place", "sell", "0.01", "--ordertype", "market").splitlines()[-1]
    assert market_id in clikraken("clist")
    assert market_id in clikraken("trades")
    assert len(rows(clikraken("ledgers"))) > 2
    assert {row[0] for row in rows(clikraken("balance"))} >= {"USD", "XBT", "ETH"}


def test_it_takes_no_certificate_of_an_authority_that_it_does_not_know(hosts: Any) -> None:
    ended = subprocess.run(
        hosts.command("clikraken", "ticker"), env=os.environ, check=False, capture_output=True, text=True, timeout=30
    )
    assert "CERTIFICATE_VERIFY_FAILED" in ended.stdout + ended.stderr
