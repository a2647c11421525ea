"""The clients of the cards read no certificates."""

import ssl
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing here speaks TLS, and loading what the system trusts would take longer than a card."""
    empty = tmp_path / "trusted.pem"
    empty.touch()
    paths = ssl.get_default_verify_paths()
    monkeypatch.setenv(paths.openssl_cafile_env, str(empty))
    monkeypatch.setenv(paths.openssl_capath_env, str(tmp_path))
