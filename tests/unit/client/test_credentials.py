"""Credentials come from where they should, and neither key nor secret is ever shown."""

from __future__ import annotations

import copy
import gc
import logging
import os
import pickle
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from krakenwire.client.credentials import Credentials, credentials
from krakenwire.client.nonces import Nonces, nonces_of
from krakenwire.errors import ConfigError, WaitTimeout
from krakenwire.model.secrets import Secret

KEY = "4/SDrDBcOOPnm3nPlNfEMMJDeRcIVqPz+QhRxIodyZbI9po/aVRiHsgX"
SECRET = "c2VzYW1lIG9wZW4gc2VzYW1l"
NOT_BASE64 = "sesame, open!"

posix = pytest.mark.skipif(os.name != "posix", reason="modes of files mean nothing here")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KRAKEN_API_KEY", raising=False)
    monkeypatch.delenv("KRAKEN_API_SECRET", raising=False)


def written(path: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def texts(found: Credentials | None) -> tuple[str, str]:
    assert found is not None
    return found.key, found.secret.reveal()


# -- where from ------------------------------------------------------------------


def test_an_environment_without_either_has_none() -> None:
    assert credentials() is None


def test_the_environment_gives_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRAKEN_API_KEY", KEY)
    monkeypatch.setenv("KRAKEN_API_SECRET", f"{SECRET}\n")
    assert texts(credentials()) == (KEY, SECRET)


@pytest.mark.parametrize(
    ("there", "missing"), [("KRAKEN_API_KEY", "KRAKEN_API_SECRET"), ("KRAKEN_API_SECRET", "KRAKEN_API_KEY")]
)
def test_one_variable_without_the_other_names_the_missing_one(
    monkeypatch: pytest.MonkeyPatch, there: str, missing: str
) -> None:
    monkeypatch.setenv(there, SECRET)
    with pytest.raises(ConfigError) as caught:
        credentials()
    assert caught.value.what == missing
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        f"{KEY}\n{SECRET}\n",
        f"\ufeff# my key\r\n\r\n  {KEY}  \r\n{SECRET}",
        f"KRAKEN_API_KEY={KEY}\nKRAKEN_API_SECRET={SECRET}\n",
        f"OTHER=1\nexport KRAKEN_API_SECRET = '{SECRET}'\nexport KRAKEN_API_KEY=\"{KEY}\"\n",
    ],
)
def test_a_file_is_read_in_either_form(tmp_path: Path, content: str) -> None:
    path = written(tmp_path / "key", content)
    assert texts(credentials(path)) == texts(credentials(str(path))) == (KEY, SECRET)


def test_a_link_to_a_private_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(written(tmp_path / "key", f"{KEY}\n{SECRET}"))
    assert texts(credentials(tmp_path / "link")) == (KEY, SECRET)


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601, 0o777])
def test_a_file_that_others_may_read_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "key", f"{KEY}\n{SECRET}", mode)
    with pytest.raises(ConfigError, match=f"chmod 600 {path}") as caught:
        credentials(path)
    assert f"{mode:04o}" in str(caught.value)
    path.chmod(0o600)
    assert texts(credentials(path)) == (KEY, SECRET)


@posix
def test_only_a_regular_file_is_read_and_nothing_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ConfigError, match="regular file"):
        credentials(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="directory"):
        credentials(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        credentials(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content",
    [
        "",
        f"{SECRET}\n",
        f"{KEY}\n{SECRET}\n{SECRET}\n",
        f"KRAKEN_API_KEY={SECRET}\n",
        f"{KEY}\n{NOT_BASE64}\n",
        f"{KEY}\n\n",
        f"{SECRET} {SECRET}\n{SECRET}\n",
        b"\xff\xfe" + SECRET.encode() + b"\n\xff\n",
        "KRAKEN_API_KEY=\nKRAKEN_API_SECRET=\n",
        (SECRET + "\n") * 1000,
    ],
)
def test_a_file_of_something_else_is_refused_unquoted(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        credentials(written(tmp_path / "key", content))
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    assert "sesame" not in shown


@pytest.mark.parametrize(
    "source",
    [
        (KEY, SECRET),
        (KEY, Secret(SECRET)),
        lambda: (KEY, SECRET),
        lambda: Credentials(KEY, SECRET),
        Credentials(KEY, Secret(lambda: SECRET)),
    ],
)
def test_both_may_come_from_the_callers_own_hands(source: Any) -> None:
    assert texts(credentials(source)) == (KEY, SECRET)


@pytest.mark.parametrize("source", [5, (KEY,), (KEY, SECRET, SECRET), lambda: None, [KEY, SECRET], (KEY, None)])
def test_anything_else_is_refused_with_what_would_do(source: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        credentials(source)
    assert KEY not in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("key", ["", "a b", "a\r\nHost: elsewhere", "é", "x" * 129, None])
def test_a_key_that_no_header_can_carry_is_refused_unquoted(key: Any) -> None:
    with pytest.raises(ConfigError, match="API key") as caught:
        Credentials(key, SECRET)
    assert "elsewhere" not in str(caught.value)


@pytest.mark.parametrize("secret", ["", NOT_BASE64, "c2VzYW1", "c2Vz YW1l"])
def test_a_secret_that_is_not_base64_is_refused_unquoted(secret: str) -> None:
    with pytest.raises(ConfigError, match="secret") as caught:
        Credentials(KEY, secret)
    if secret:
        assert secret not in "".join(traceback.format_exception(caught.value))


# -- never shown -----------------------------------------------------------------


def test_neither_text_is_ever_shown(caplog: pytest.LogCaptureFixture) -> None:
    found = Credentials(KEY, SECRET)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug("%s %r", found, found)
    for shown in (repr(found), str(found), f"{found}", f"{found!s:>30}", repr([found]), repr({1: found}), caplog.text):
        assert "***" in shown
        assert KEY not in shown
        assert SECRET not in shown


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy])
def test_credentials_are_never_copied(leak: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        leak(Credentials(KEY, SECRET))


# -- nonces ----------------------------------------------------------------------


def test_nonces_grow_though_the_clock_stands_still_or_goes_back() -> None:
    times = iter([50, 50, 20, 10, 60, 60])
    nonces = Nonces(lambda: next(times))
    assert [nonces.take() for _ in range(6)] == [50, 51, 52, 53, 60, 61]


def test_nonces_are_above_those_of_clients_that_count_coarser() -> None:
    first = Nonces().take()
    assert 1_700_000_000_000_000_000 < first < 1 << 63


def test_nonces_grow_across_threads() -> None:
    nonces, started = Nonces(lambda: 1), threading.Barrier(8)
    taken: list[list[int]] = [[] for _ in range(8)]

    def take(mine: list[int]) -> None:
        started.wait(10)
        mine.extend(nonces.take() for _ in range(500))

    threads = [threading.Thread(target=take, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert all(mine == sorted(mine) for mine in taken)
    assert sorted(nonce for mine in taken for nonce in mine) == list(range(1, 4001))


def test_calls_of_one_key_take_turns_in_the_order_of_their_nonces() -> None:
    nonces, arrived = Nonces(lambda: 1), list[int]()

    def call() -> None:
        for _ in range(200):
            with nonces.turn(10) as nonce:
                arrived.append(nonce)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert arrived == list(range(1, 801))


def test_who_waits_too_long_for_a_turn_is_told_and_takes_no_nonce() -> None:
    nonces = Nonces(lambda: 1)
    with nonces.turn(1), pytest.raises(WaitTimeout, match="not sent"), nonces.turn(0.001):
        pytest.fail("two turns at once")
    with nonces.turn(1) as nonce:
        assert nonce == 2


def test_a_turn_ends_with_an_error_too() -> None:
    nonces = Nonces(lambda: 1)
    with pytest.raises(KeyError), nonces.turn(1):
        raise KeyError
    with nonces.turn(0.001) as nonce:
        assert nonce == 2


def test_a_key_has_one_count_in_the_process_as_long_as_it_is_in_use() -> None:
    mine = nonces_of("a key")
    assert nonces_of("a key") is mine
    assert nonces_of("another") is not mine
    highest = mine.take()
    assert nonces_of("a key").take() > highest
    del mine
    gc.collect()
    assert nonces_of("a key").take() > highest
