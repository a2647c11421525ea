"""A trade tape drives the price of a running venue: from an argument, from a file, from the command."""

from __future__ import annotations

import gzip
import json
import signal
from decimal import Decimal
from pathlib import Path

import pytest
from tests.e2e.command import run_here, start
from tests.e2e.peers import Peer, peer

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.cli.exit_codes import USAGE
from krakenwire.errors import ConfigError
from krakenwire.testing import local_kraken

ROWS = "".join(f"{1684108800 + 60 * number},{7000 + number * 3},0.{number + 1}\n" for number in range(8))
EXPECTED = [(7000 + number * 3, Decimal(f"0.{number + 1}")) for number in range(8)]


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    path = tmp_path / "trades.csv"
    path.write_text(ROWS)
    return path


def printed(client: Peer, trades: int) -> list[tuple[int, Decimal]]:
    found: list[tuple[int, Decimal]] = []
    while len(found) < trades:
        rows = client.of("trade")["data"]
        found += [(int(row["price"]), Decimal(str(row["qty"]))) for row in rows]
    return found


def test_trades_are_those_of_the_tape_at_its_speed(tape: Path) -> None:
    with local_kraken(symbols=["BTC/USD"], tape={"XBT/USD": tape}) as venue, peer(venue.ws_v2) as client:
        venue.freeze()
        client.call("subscribe", channel="trade", symbol=["BTC/USD"], snapshot=True)
        past = client.of("trade")["data"]
        begun = [(int(row["price"]), Decimal(str(row["qty"]))) for row in past if int(row["price"]) == 7000]
        for _ in range(14):
            venue.advance(30)
        assert (begun[-1:] + printed(client, 7))[-8:] == EXPECTED


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_configuration_names_tapes_beside_it(tape: Path, suffix: str) -> None:
    if suffix:
        tape.with_suffix(".csv.gz").write_bytes(gzip.compress(tape.read_bytes()))
    config = tape.with_name("venue.toml")
    config.write_text(
        f'[venue]\nsymbols = ["BTC/USD"]\n[tape]\nspeed = 60\nfiles = {{ "BTC/USD" = "trades.csv{suffix}" }}\n'
    )
    with local_kraken(config=config) as venue, peer(venue.ws_v2) as client:
        client.call("subscribe", channel="trade", symbol=["BTC/USD"], snapshot=False)
        assert printed(client, 1)[0] in EXPECTED


def test_a_folder_goes_on_with_the_same_tape_only(tape: Path, tmp_path: Path) -> None:
    with LocalVenue(symbols=["BTC/USD"], tape={"BTC/USD": tape}, data=tmp_path / "kept") as venue:
        venue.advance(90)
    with LocalVenue(symbols=["BTC/USD"], tape={"BTC/USD": tape}, data=tmp_path / "kept") as venue:
        assert venue.restored
    with pytest.raises(ConfigError, match="tapes"):
        LocalVenue(symbols=["BTC/USD"], data=tmp_path / "kept").start()


def test_the_command_takes_a_tape(tape: Path) -> None:
    process = start("venue", "--port", "0", "--json", "--symbols", "BTC/USD", "--tape", f"BTC/USD={tape}")
    try:
        assert process.stdout is not None
        with peer(json.loads(process.stdout.readline())["ws_v2"]) as client:
            client.call("subscribe", channel="ticker", symbol=["BTC/USD"])
            assert client.of("ticker")["data"][0]["last"] == 7000
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("BTC/USD", ["--tape", "a symbol and a file"]),
        ("BTC/USD=missing.csv", ["missing.csv", "No such file"]),
        ("BTC/USD={bad}", ["bad.csv, line 2, column price", "found x"]),
        ("NOPE/USD={bad}", ["NOPE/USD"]),
    ],
)
def test_a_mistake_is_one_line_and_code_2(tmp_path: Path, written: str, words: list[str]) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("1,70000,1\n2,x,1\n")
    code, _, errors = run_here("venue", "--port", "0", "--tape", written.format(bad=bad))
    assert code == USAGE
    assert all(word in errors for word in words), errors
    assert "Traceback" not in errors
