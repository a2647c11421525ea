"""Certificates over real sockets: the good one is trusted, every other one refused, quickly, in every style."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.conformance.styles import Style

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.errors import ConfigError, ConnectError, KrakenwireError, TlsError, TransportError
from krakenwire.testing import local_kraken

Make = Callable[..., Style]

PAST = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def ca(folder: Path) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return authority


CERTIFICATES: dict[str, dict[str, Any]] = {
    "good": {"identities": ["127.0.0.1", "localhost"]},
    "wrong host": {"identities": ["other.example"]},
    "expired": {"identities": ["127.0.0.1"], "not_after": PAST, "not_before": PAST - datetime.timedelta(days=9)},
}


@pytest.fixture(scope="module")
def venues(ca: trustme.CA, folder: Path) -> Iterator[dict[str, LocalVenue]]:
    running: dict[str, LocalVenue] = {}
    for name, facts in CERTIFICATES.items():
        options = dict(facts)
        issued = ca.issue_cert(*options.pop("identities"), **options)
        cert, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(cert)
        issued.private_key_pem.write_to_path(key)
        running[name] = LocalVenue(symbols=["BTC/USD"], tls_cert=cert, tls_key=key).start()
    yield running
    for venue in running.values():
        venue.stop()


def refusal(client: Style) -> KrakenwireError:
    start = time.monotonic()
    with pytest.raises(TransportError) as caught:
        client.stream("book", "BTC/USD").next()
    assert time.monotonic() - start < 5
    return caught.value


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_of_the_given_ca_is_trusted(
    make: Make, venues: dict[str, LocalVenue], folder: Path, host: str
) -> None:
    client = make(f"wss://{host}:{venues['good'].port}", ca_file=folder / "ca.pem")
    books = client.stream("book", "BTC/USD", depth=1000)  # a snapshot of several TLS records
    for _ in range(3):
        assert books.next().verified


def test_an_unknown_ca_is_refused_with_a_hint(make: Make, venues: dict[str, LocalVenue]) -> None:
    error = refusal(make(venues["good"].ws_v2))
    assert isinstance(error, TlsError)
    assert "ca_file" in error.hint
    assert not error.retryable


@pytest.mark.parametrize("wrong", ["wrong host", "expired"])
def test_a_certificate_that_does_not_hold_is_refused(
    make: Make, venues: dict[str, LocalVenue], folder: Path, wrong: str
) -> None:
    error = refusal(make(venues[wrong].ws_v2, ca_file=folder / "ca.pem"))
    assert isinstance(error, TlsError)
    assert ("expired" if wrong == "expired" else "127.0.0.1") in str(error)


def test_a_port_that_does_not_speak_tls_is_a_tls_error(make: Make) -> None:
    with local_kraken(symbols=["BTC/USD"]) as plain:
        error = refusal(make(f"wss://127.0.0.1:{plain.port}"))
    assert isinstance(error, TlsError)
    assert "ws://" in error.hint


def test_a_tls_port_asked_without_tls_is_no_websocket(make: Make, venues: dict[str, LocalVenue]) -> None:
    assert isinstance(refusal(make(f"ws://127.0.0.1:{venues['good'].port}")), ConnectError)


def test_checking_can_be_turned_off_for_this_machine_and_the_log_says_so(
    make: Make, venues: dict[str, LocalVenue], caplog: pytest.LogCaptureFixture
) -> None:
    client = make(venues["expired"].ws_v2, insecure=True)
    assert client.stream("book", "BTC/USD").next().verified
    assert "not checked" in caplog.text


def test_checking_cannot_be_turned_off_for_another_machine(make: Make) -> None:
    with pytest.raises(ConfigError, match="this machine"):
        make("wss://venue.example", insecure=True).stream("status")
