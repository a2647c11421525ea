"""The account of a client: which failures to fetch a token end it, and which are worth another try."""

from __future__ import annotations

import pytest

from krakenwire.client.core import Core
from krakenwire.client.options import Options
from krakenwire.errors import AnswerLost, ConfigError, ConnectError, KrakenwireError, UsageError, VenueRefusal
from krakenwire.model import AddOrder
from krakenwire.session.reconnect import is_final


class NoToken:
    """A REST client that fails to give a token."""

    def __init__(self, failure: KrakenwireError) -> None:
        self.failure = failure

    def websocket_token(self) -> None:
        raise self.failure


def failure_of(error: KrakenwireError, monkeypatch: pytest.MonkeyPatch) -> KrakenwireError:
    core = Core(Options.checked("ws://127.0.0.1:1", 2, {}))
    monkeypatch.setattr(core.account, "open", lambda: NoToken(error))
    with pytest.raises(KrakenwireError) as failed:
        core.account.token()
    return failed.value


@pytest.mark.parametrize(
    "error",
    [
        AnswerLost("GetWebSocketsToken", "the connection ended"),
        VenueRefusal("EService:Unavailable"),
        VenueRefusal("EService: Throttled: 1800000000"),
        VenueRefusal("EAPI:Rate limit exceeded"),
        VenueRefusal("EAPI:Invalid nonce"),
        VenueRefusal("EGeneral:Temporary lockout"),
    ],
)
def test_a_token_that_cannot_be_had_now_is_asked_for_again(
    error: KrakenwireError, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = failure_of(error, monkeypatch)
    assert isinstance(failure, ConnectError)
    assert not is_final(failure)


@pytest.mark.parametrize("words", ["EAPI:Invalid key", "EAPI:Invalid signature", "EGeneral:Permission denied"])
def test_a_key_that_is_not_taken_ends_the_client(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    failure = failure_of(VenueRefusal(words), monkeypatch)
    assert isinstance(failure, VenueRefusal)
    assert is_final(failure)


# -- the second switch -----------------------------------------------------------

ORDER = AddOrder(symbol="BTC/USD", side="buy", order_type="market")
AWAY = "wss://kraken.example"


@pytest.mark.parametrize("on", ["live", "beta", AWAY])
def test_orders_away_from_this_machine_take_a_second_switch(on: str) -> None:
    with pytest.raises(UsageError, match=f"trading='{on}'"):
        Core(Options.checked(on, 2, {})).account.prepare(ORDER)


def test_the_second_switch_names_the_place_of_the_first() -> None:
    with pytest.raises(ConfigError, match="trading"):
        Options.checked("live", 2, {"trading": "beta"})


def test_keys_do_not_go_over_an_open_line() -> None:
    core = Core(Options.checked("ws://kraken.example", 2, {"credentials": ("key", "c2VjcmV0")}))
    with pytest.raises(ConfigError, match="encrypted"):
        core.account.credentials()


def test_without_credentials_it_is_said_where_they_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KRAKEN_API_KEY", raising=False)
    monkeypatch.delenv("KRAKEN_API_SECRET", raising=False)
    with pytest.raises(ConfigError, match="KRAKEN_API_KEY"):
        Core(Options.checked(AWAY, 2, {})).account.credentials()
