"""Every usual spelling of an address means the same place; anything else is explained."""

from __future__ import annotations

import copy
import pickle
import ssl
from pathlib import Path

import pytest
import trustme

from krakenwire.client.environments import Addresses, environment, is_loopback
from krakenwire.client.tls import client_context
from krakenwire.errors import ConfigError, UsageError
from krakenwire.model.secrets import Secret


@pytest.mark.parametrize(
    "spelling",
    [
        "ws://127.0.0.1:8080",
        "ws://127.0.0.1:8080/",
        "ws://127.0.0.1:8080/v2",
        "ws://127.0.0.1:8080/v2/",
        "http://127.0.0.1:8080",
        "HTTP://127.0.0.1:8080/v2",
        " ws://127.0.0.1:8080 ",
    ],
)
def test_every_spelling_of_an_address_means_the_same_place(spelling: str) -> None:
    place = environment(spelling)
    assert place.url(2) == "ws://127.0.0.1:8080/v2"
    assert place.url(1) == "ws://127.0.0.1:8080/"
    assert place.url(2, "level3") == "ws://127.0.0.1:8080/v2"


@pytest.mark.parametrize("spelling", ["wss://venue.example", "https://venue.example/", "https://venue.example/v2"])
def test_https_becomes_wss(spelling: str) -> None:
    assert environment(spelling).url(2) == "wss://venue.example/v2"


def test_a_path_prefix_stays() -> None:
    assert environment("wss://proxy.example/kraken/v2").url(1) == "wss://proxy.example/kraken/"


def test_an_ipv6_address_keeps_its_brackets() -> None:
    assert environment("ws://[::1]:8080").url(2) == "ws://[::1]:8080/v2"


def test_live_has_an_endpoint_of_its_own_for_level3() -> None:
    live = environment("live")
    assert live.url(2) == "wss://ws.kraken.com/v2"
    assert live.url(1) == "wss://ws.kraken.com/"
    assert live.url(2, "level3") == "wss://ws-l3.kraken.com/v2"
    assert live.url(2, "private") == "wss://ws-auth.kraken.com/v2"
    assert live.url(1, "private") == "wss://ws-auth.kraken.com/"
    assert live.rest_url() == "https://api.kraken.com"
    assert 'on="local"' in live.hint
    assert "--on local" in live.hint


def test_beta_has_a_private_endpoint_and_borrows_no_rest() -> None:
    beta = environment("beta")
    assert beta.url(2, "private") == "wss://beta-ws-auth.kraken.com/v2"
    with pytest.raises(UsageError, match=r"beta.*Addresses"):
        beta.rest_url()


@pytest.mark.parametrize(
    ("address", "rest"),
    [
        ("ws://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("wss://proxy.example/kraken/v2", "https://proxy.example/kraken"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_everything_is_at_one_address(address: str, rest: str) -> None:
    place = environment(address)
    assert place.url(2, "private") == place.url(2, "level3") == place.url(2)
    assert place.rest_url() == rest


def test_each_endpoint_may_have_an_address_of_its_own() -> None:
    place = environment(
        Addresses(
            "ws://127.0.0.1:1/v2", private="wss://127.0.0.1:2", level3="ws://127.0.0.1:3/", rest="http://127.0.0.1:4/"
        )
    )
    assert [place.url(2, name) for name in ("public", "private", "level3")] == [
        "ws://127.0.0.1:1/v2",
        "wss://127.0.0.1:2/v2",
        "ws://127.0.0.1:3/v2",
    ]
    assert place.rest_url() == "http://127.0.0.1:4"
    assert place.name == "address"


def test_an_endpoint_without_an_address_is_where_the_public_one_is() -> None:
    place = environment(Addresses("wss://venue.example", private="wss://auth.example"))
    assert place.url(2, "level3") == "wss://venue.example/v2"
    assert place.rest_url() == "https://venue.example"


def test_the_embedded_venue_may_have_several_addresses() -> None:
    place = environment("local", lambda: Addresses("ws://127.0.0.1:1", rest="http://127.0.0.1:2"))
    assert (place.name, place.url(2), place.rest_url()) == ("local", "ws://127.0.0.1:1/v2", "http://127.0.0.1:2")


@pytest.mark.parametrize("member", ["public", "private", "level3", "rest"])
@pytest.mark.parametrize("wrong", ["", "prod", "ftp://venue.example", "ws://h/?token=sesame", 5])
def test_each_address_must_be_one(member: str, wrong: object) -> None:
    with pytest.raises(ConfigError) as caught:
        environment(Addresses(**{"public": "ws://127.0.0.1:1", member: wrong}))  # type: ignore[arg-type]
    assert "sesame" not in str(caught.value)


def test_an_endpoint_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="public, private, level3"):
        environment("live").url(2, "auth")


def test_one_endpoint_elsewhere_is_enough_to_be_elsewhere() -> None:
    assert environment(Addresses("ws://127.0.0.1:1", private="wss://venue.example")).host == "venue.example"
    assert environment(Addresses("ws://127.0.0.1:1", rest="https://venue.example")).host == "venue.example"
    assert environment(Addresses("ws://127.0.0.1:1", private="ws://localhost:2")).host == "127.0.0.1"
    assert environment("beta").host == "beta-ws.kraken.com"


def test_local_asks_for_the_embedded_venue_when_it_is_needed() -> None:
    assert environment("local", lambda: "ws://127.0.0.1:4711/v2").url(1) == "ws://127.0.0.1:4711/"
    with pytest.raises(ConfigError):
        environment("local")


@pytest.mark.parametrize(
    "wrong", ["", "prod", "127.0.0.1:8080", "ftp://venue.example", "ws://", "ws://h:port", "ws://h:70000"]
)
def test_what_is_no_place_is_refused_with_what_would_be(wrong: str) -> None:
    with pytest.raises(ConfigError) as caught:
        environment(wrong)
    assert "ws://127.0.0.1:8080" in str(caught.value)


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        environment("wss://user:sesame@venue.example")
    assert "sesame" not in str(caught.value)


def test_a_version_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="one of 1, 2"):
        environment("live").url(3)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("192.168.0.1", False),
        ("a.b", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, here: bool) -> None:
    assert is_loopback(host) is here


def test_certificates_are_checked_by_default() -> None:
    context = client_context(host="ws.kraken.com")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_ca_file_adds_to_the_systems_trust(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    assert len(client_context(ca_file=path).get_ca_certs()) == len(client_context().get_ca_certs()) + 1


def test_a_ca_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    with pytest.raises(ConfigError, match="ca_file"):
        client_context(ca_file=path)
    path.write_text("not a certificate")
    with pytest.raises(ConfigError, match="PEM"):
        client_context(ca_file=path)


def test_checking_can_be_turned_off_for_this_machine_only() -> None:
    assert client_context(insecure=True, host="127.0.0.1").verify_mode is ssl.CERT_NONE
    with pytest.raises(ConfigError, match="this machine"):
        client_context(insecure=True, host="ws.kraken.com")


def test_a_secret_is_never_shown() -> None:
    secret = Secret("open sesame")
    assert secret.reveal() == Secret(lambda: "open sesame").reveal() == "open sesame"
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>5}", repr([secret])):
        assert "sesame" not in shown
        assert "***" in shown
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(secret)
