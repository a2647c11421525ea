"""`krakenwire order` and `krakenwire balance`: dry unless told where, a question before money, no key ever shown."""

from __future__ import annotations

import base64
import json
import logging
import socket
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.e2e.command import one_line, run_here
from tests.e2e.terminal import at_a_terminal

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.cli import order as order_command
from krakenwire.cli.exit_codes import CONNECTION, OK, REFUSED, UNKNOWN, USAGE
from krakenwire.client import environments
from krakenwire.client.environments import Environment
from krakenwire.model import CancelAll, OrderRefused, Outcome, Unanswered
from krakenwire.model.secrets import Secret
from krakenwire.testing import local_kraken
from krakenwire.venue.access.keys import ApiKey
from krakenwire.venue.config.accounts_config import AccountConfig

KEY = "CaNaRyKeY" * 6 + "Ka"
SECRET = base64.b64encode(b"canary-secret-" * 4 + b"12345678").decode()
BUY = ("order", "add", "BTC/USD", "buy", "0.01", "--price", "10000")
ID = "OAAAAA-BBBBB-CCCCCC"
CHANGES = (BUY, ("order", "amend", ID, "--price", "5"), ("order", "cancel", ID), ("order", "cancel-all"))
QUESTION = "Type yes to send:"

AT_ANOTHER_LIVE = """
import sys
from krakenwire.cli.main import main
from krakenwire.client import environments
at = sys.argv[1]
environments._NAMED["live"] = environments.Environment("live", f"ws://{at}", f"ws://{at}", f"ws://{at}", f"http://{at}")
sys.exit(main(sys.argv[2:]))
"""
"""The command in a world where the live service is somewhere on this machine."""


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    """A venue whose only key can be recognised wherever it appears."""
    account = AccountConfig(
        name="canary",
        balances={"USD": Decimal(100_000), "BTC": Decimal(5)},
        keys=(ApiKey(key=KEY, secret=Secret(SECRET), account="canary", nonce_window=10**18, rate_limited=False),),
    )
    with local_kraken(accounts=[account]) as running:
        yield running


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRAKEN_API_KEY", KEY)
    monkeypatch.setenv("KRAKEN_API_SECRET", SECRET)


class Watched:
    """An address that notices every attempt to reach it."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def was_reached(self) -> bool:
        try:
            self._socket.accept()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """Stands for the live service and for beta."""
    watched = Watched()
    ws, rest = f"ws://{watched.address}", f"http://{watched.address}"
    for name in ("live", "beta"):
        monkeypatch.setitem(environments._NAMED, name, Environment(name, ws, ws, ws, rest))
    yield watched
    watched.close()


def shown_json(*arguments: str) -> tuple[int, dict[str, object]]:
    code, out, _ = run_here(*arguments)
    return code, json.loads(one_line(out))


# -- dry -------------------------------------------------------------------------------


@pytest.mark.parametrize("api", ["1", "2"])
@pytest.mark.parametrize("change", CHANGES, ids=[change[1] for change in CHANGES])
def test_without_a_place_nothing_is_sent_and_what_would_be_is_shown(
    change: tuple[str, ...], api: str, watched: Watched
) -> None:
    code, told = shown_json(*change, "--api", api)
    assert code == OK
    assert (told["outcome"], told["sent"], told["on"]) == ("dry", False, None)
    assert '"token":"***"' in str(told["frame"])
    assert not watched.was_reached()


def test_a_dry_run_at_a_terminal_says_so_and_how_to_send(watched: Watched) -> None:
    code, shown, _ = at_a_terminal(["-c", AT_ANOTHER_LIVE, watched.address, *BUY])
    assert code == OK
    assert shown.startswith("dry run: nothing was sent, to nobody")
    for words in ("buy 0.01 BTC/USD limit at 10000", "100.00 USD", '"limit_price":10000', "--on local", "--on live"):
        assert words in shown
    assert not watched.was_reached()


def test_yes_and_validate_alone_send_nothing(watched: Watched) -> None:
    assert shown_json(*BUY, "--yes")[1]["sent"] is False
    assert shown_json(*BUY, "--validate")[1]["sent"] is False
    assert not watched.was_reached()


def test_an_order_that_cannot_be_is_refused_in_the_venue_s_words_before_anything_is_sent() -> None:
    code, out, errors = run_here(*BUY, "--post-only", "--tif", "ioc")
    assert code == USAGE
    assert out == ""
    assert "EGeneral:Invalid arguments" in one_line(errors)


# -- the question ----------------------------------------------------------------------


@pytest.mark.parametrize("on", ["live", "beta", "wss://192.0.2.1:1"])
@pytest.mark.parametrize("change", CHANGES, ids=[change[1] for change in CHANGES])
def test_elsewhere_without_a_terminal_nothing_is_sent(change: tuple[str, ...], on: str, watched: Watched) -> None:
    code, out, errors = run_here(*change, "--on", on)
    assert code == USAGE
    assert out == ""
    assert "Nothing was sent" in errors
    assert f"{KEY[:4]}..." in errors
    assert not watched.was_reached()


@pytest.mark.parametrize("answer", ["no\n", "y\n", "YES\n", "\n", "\x04"])
def test_any_answer_but_yes_sends_nothing(answer: str, watched: Watched) -> None:
    arguments = ["-c", AT_ANOTHER_LIVE, watched.address, *BUY, "--on", "live"]
    code, shown, _ = at_a_terminal(arguments, answer=answer, after=QUESTION)
    assert code == USAGE
    assert "Nothing was sent" in shown
    assert not watched.was_reached()


@pytest.mark.parametrize("piped", [False, True])
def test_yes_sends_what_was_shown(piped: bool, venue: LocalVenue) -> None:
    arguments = ["-c", AT_ANOTHER_LIVE, f"127.0.0.1:{venue.port}", *BUY, "--on", "live"]
    code, shown, out = at_a_terminal(arguments, answer="yes\n", after=QUESTION, piped=piped)
    assert code == OK, shown
    for words in ("BTC/USD", "buy", "0.01", "10000", "100.00 USD", f"{KEY[:4]}...", QUESTION):
        assert words in shown
    if piped:
        assert json.loads(out)["outcome"] == "accepted"
    else:
        assert "accepted: O" in shown
    assert KEY not in shown + out


def test_with_yes_given_nobody_is_asked(venue: LocalVenue) -> None:
    arguments = ["-c", AT_ANOTHER_LIVE, f"127.0.0.1:{venue.port}", *BUY, "--on", "live", "--yes"]
    code, shown, _ = at_a_terminal(arguments)
    assert code == OK
    assert "accepted: O" in shown
    assert QUESTION not in shown


def test_validate_asks_nobody_and_places_nothing(venue: LocalVenue) -> None:
    assert run_here("order", "cancel-all", "--on", venue.ws_v2)[0] == OK
    arguments = ["-c", AT_ANOTHER_LIVE, f"127.0.0.1:{venue.port}", *BUY, "--on", "live", "--validate"]
    code, shown, _ = at_a_terminal(arguments)
    assert code == OK
    assert "good: buy 0.01 BTC/USD" in shown
    assert QUESTION not in shown
    assert shown_json("order", "list", "--on", venue.ws_v2)[1]["orders"] == []


def test_a_place_without_rest_is_refused_before_anybody_is_asked() -> None:
    code, _, errors = run_here(*BUY, "--on", "beta", "--yes")
    assert code == USAGE
    assert "REST" in one_line(errors)


# -- this machine ----------------------------------------------------------------------


@pytest.mark.parametrize("api", ["1", "2"])
def test_on_local_an_order_shows_its_whole_life(api: str) -> None:
    code, told = shown_json("order", "add", "BTC/USD", "buy", "0.01", "--type", "market", "--on", "local", "--api", api)
    assert code == OK
    order, fills, balances = told["order"], told["fills"], told["balances"]
    assert isinstance(order, dict)
    assert isinstance(fills, list)
    assert isinstance(balances, list)
    assert (order["status"], order["cum_qty"]) == ("closed", 0.01)
    assert sum(fill["qty"] for fill in fills) == pytest.approx(0.01)
    assert {row["asset"]: row["available"] for row in balances}["BTC"] == 5.01


def test_on_local_an_order_that_rests_holds_its_money() -> None:
    _, shown, _ = at_a_terminal(["-m", "krakenwire", *BUY, "--on", "local"])
    assert "order     open, 0 of 0.01 filled" in shown
    assert "held)" in shown


@pytest.mark.parametrize("api", ["1", "2"])
def test_at_an_address_of_this_machine_an_order_is_placed_amended_listed_and_canceled(
    api: str, venue: LocalVenue
) -> None:
    there = ("--on", venue.ws_v2, "--api", api)
    code, told = shown_json(*BUY, *there)
    assert code == OK
    answers = told["answers"]
    assert isinstance(answers, list)
    order_id = answers[0]["order_id"]
    assert "order" not in told
    assert shown_json("order", "amend", order_id, "--price", "10001.5", *there)[1]["outcome"] == "accepted"
    _, listed = shown_json("order", "list", "--on", venue.ws_v2)
    orders = listed["orders"]
    assert isinstance(orders, list)
    assert [row["limit_price"] for row in orders if row["order_id"] == order_id] == [10001.5]
    _, shown, _ = at_a_terminal(["-m", "krakenwire", "order", "list", "--on", venue.ws_v2])
    assert order_id in shown
    code, told = shown_json("order", "cancel", order_id, ID, *there)
    assert code == REFUSED  # one of them
    answers = told["answers"]
    assert isinstance(answers, list)
    assert [answer["outcome"] for answer in answers] == ["accepted", "refused"]
    assert shown_json("order", "cancel-all", *there)[0] == OK


def test_balances_are_an_object_on_a_pipe_and_a_table_at_a_terminal(venue: LocalVenue) -> None:
    code, told = shown_json("balance", "--on", venue.ws_v2)
    assert code == OK
    assert isinstance(told["balances"], list)
    assert {row["asset"] for row in told["balances"]} >= {"USD", "BTC"}
    _, shown, _ = at_a_terminal(["-m", "krakenwire", "balance", "--on", venue.ws_v2])
    assert all(word in shown for word in ("asset", "available", "USD", "BTC"))


def test_an_account_that_has_nothing_open_says_so(venue: LocalVenue) -> None:
    run_here("order", "cancel-all", "--on", venue.ws_v2)
    _, shown, _ = at_a_terminal(["-m", "krakenwire", "order", "list", "--on", venue.ws_v2])
    assert shown.strip() == "no open orders"


# -- what goes wrong -------------------------------------------------------------------


def test_a_refusal_is_the_venue_s_words_and_code_5(venue: LocalVenue) -> None:
    code, told = shown_json("order", "add", "BTC/USD", "buy", "1000", "--price", "10000", "--on", venue.ws_v2)
    assert code == REFUSED
    assert (told["outcome"], told["error"]) == ("refused", "EOrder:Insufficient funds")


@pytest.mark.parametrize(
    ("answer", "sent_ns", "code", "state"),
    [
        (Unanswered("no reply within 5 s"), 1, UNKNOWN, "unknown"),
        (OrderRefused("no room"), None, CONNECTION, "refused"),
    ],
)
def test_what_nobody_knows_is_code_7_and_what_was_not_sent_is_code_3(
    answer: Unanswered | OrderRefused, sent_ns: int | None, code: int, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = Outcome(request=CancelAll(), answers=(answer,), sent_ns=sent_ns)
    monkeypatch.setattr(order_command, "carry_out", lambda *_args, **_how: (outcome, None))
    found, out, errors = run_here("order", "cancel-all", "--on", "local")
    assert found == code
    assert json.loads(out)["outcome"] == state
    assert ("order list" in errors) == (code == UNKNOWN)


def test_an_interrupt_while_it_is_sent_leaves_the_outcome_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_args: object, **_how: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(order_command, "carry_out", interrupted)
    code, _, errors = run_here("order", "cancel-all", "--on", "local")
    assert code == UNKNOWN
    assert "may have been carried out" in one_line(errors)


@pytest.mark.parametrize("command", [("balance",), ("order", "list"), (*BUY, "--on", "live", "--yes")])
def test_without_a_key_nothing_is_reached(
    command: tuple[str, ...], watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KRAKEN_API_KEY")
    monkeypatch.delenv("KRAKEN_API_SECRET")
    code, _, errors = run_here(*command)
    assert code == USAGE
    assert "KRAKEN_API_KEY" in one_line(errors)
    assert not watched.was_reached()


@pytest.mark.parametrize("command", [("balance",), ("order", "list"), BUY])
def test_a_key_never_goes_over_an_open_line(command: tuple[str, ...]) -> None:
    code, _, errors = run_here(*command, "--on", "ws://192.0.2.1:1", *(["--yes"] if command == BUY else []))
    assert code == USAGE
    assert "an encrypted connection" in errors


def test_a_key_file_must_be_its_owner_s_alone(
    venue: LocalVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KRAKEN_API_KEY")
    monkeypatch.delenv("KRAKEN_API_SECRET")
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n{SECRET}\n")
    file.chmod(0o600)
    assert shown_json("balance", "--on", venue.ws_v2, "--key-file", str(file))[0] == OK
    assert shown_json(*BUY, "--on", venue.ws_v2, "--key-file", str(file))[0] == OK
    file.chmod(0o644)
    code, out, errors = run_here("balance", "--on", venue.ws_v2, "--key-file", str(file))
    assert (code, out) == (USAGE, "")
    assert "chmod 600" in one_line(errors)


# -- the canary ------------------------------------------------------------------------


def test_no_key_and_no_secret_is_in_any_output_or_log(
    venue: LocalVenue, watched: Watched, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    there = ("--on", venue.ws_v2)
    commands = [
        *(change for change in CHANGES),
        *((*change, *there) for change in CHANGES),
        *((*change, *there, "--api", "1") for change in CHANGES),
        *((*change, "--on", "beta") for change in CHANGES),
        (*BUY, *there, "--validate"),
        ("order", "add", "BTC/USD", "buy", "1000", "--price", "10000", *there),
        ("order", "list", *there),
        ("balance", *there),
        ("balance", "--key", KEY),
        ("order", "cancel", SECRET, *there),
        ("balance", "--key-file", "/nowhere"),
    ]
    told = [run_here(*command) for command in commands]
    monkeypatch.setenv("KRAKEN_API_SECRET", base64.b64encode(b"another-secret-" * 4).decode())
    told += [run_here("balance", *there), run_here(*BUY, *there)]

    def broken(*_args: object, **_how: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(order_command, "carry_out", broken)
    told.append(run_here(*BUY, *there))
    assert "ZeroDivisionError" in told[-1][2]
    assert {code for code, _, _ in told} == {OK, USAGE, REFUSED, 70}
    assert caplog.records
    logged = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    everything = "\n".join(f"{out}\n{errors}" for _, out, errors in told) + logged + caplog.text
    for canary in (KEY, SECRET, KEY[4:12], SECRET[:12]):
        assert canary not in everything
    assert not watched.was_reached()
