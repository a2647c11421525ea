"""A key on a command line is refused before anything can repeat it."""

from __future__ import annotations

from pathlib import Path

import pytest

from krakenwire.cli import exit_codes, main
from krakenwire.cli.secrecy import refuse_secrets
from krakenwire.errors import ConfigError

KEY = "k" * 55 + "/"
SECRET = "S3cr3t" * 14 + "aa=="


@pytest.mark.parametrize(
    "arguments",
    [
        ["order", "add", "BTC/USD", "buy", "1", SECRET],
        ["order", "add", "BTC/USD", "buy", "1", "--price", KEY],
        ["order", "add", "BTC/USD", "buy", "1", f"--cl-ord-id={SECRET}"],
        ["balance", "--key", "short"],
        ["balance", "--api-secret=short"],
        [SECRET],
    ],
)
def test_what_looks_like_a_key_is_refused_and_not_repeated(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(arguments) == exit_codes.USAGE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "--key-file" in shown.err
    assert not any(text in shown.err for text in (KEY, SECRET, "short"))


def test_the_key_and_secret_that_are_set_are_known_again_however_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRAKEN_API_KEY", "bot")
    monkeypatch.setenv("KRAKEN_API_SECRET", "a3Jha2Vu")
    refuse_secrets(["order", "list"])
    for text in ("bot", "a3Jha2Vu", "--userref=bot"):
        with pytest.raises(ConfigError):
            refuse_secrets(["order", "cancel", text])


def test_ids_paths_and_addresses_are_not_taken_for_keys(tmp_path: Path) -> None:
    file = tmp_path / ("recording" * 6)
    file.touch()
    refuse_secrets(
        [
            "OQCLML-BW3P3-BUCMWZ",
            "6d1b345e-2821-40e2-ad83-4ecb18a06876",
            "da8e4ad59b78481c93e589746b0cf91f",
            "ws://127.0.0.1:8080/v2",
            str(file),
            "--tls-key",
            "--key-file",
            "BTC/USD",
        ]
    )
