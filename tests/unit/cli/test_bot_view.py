"""What a run is shown with where there is no terminal: lines that are whole, in order, and never hold the bot up."""

from __future__ import annotations

import io
import json
import sys
import threading

import pytest
from msgspec.structs import replace
from tests.unit.cli.bot_values import FILL, HEAD, NOTE, ROWS, SENT, STATUS

from krakenwire.cli import bot_view as module
from krakenwire.cli.bot_view import BotView, bot_view
from krakenwire.limits import BOT_VIEW_ROWS_WAITING_MAX
from krakenwire.trading.run_records import RunRow


class Terminal(io.StringIO):
    """A terminal that takes no UTF-8: nothing can be drawn on it."""

    encoding = "latin-1"

    def isatty(self) -> bool:
        return True


class Stalled(io.StringIO):
    """A pipe whose reader has stopped until it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.writing, self.go_on = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.writing.set()
        assert self.go_on.wait(30)
        return super().write(text)


class Gone(io.StringIO):
    """A pipe that nobody reads any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def json_view(monkeypatch: pytest.MonkeyPatch, out: io.StringIO, gone: threading.Event | None = None) -> BotView:
    monkeypatch.setattr(sys, "stdout", out)
    return bot_view(as_json=False, gone=(gone or threading.Event()).set)


def test_on_a_pipe_each_row_is_one_json_object_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    with json_view(monkeypatch, out) as view:
        view.on_rows([HEAD])
        view.on_rows(list(ROWS[1:]))
        view.on_status(STATUS)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["kind"] for line in told] == ["head", "decision", "order", "fill", "equity", "note"]


def test_what_a_strategy_prints_does_not_come_between_the_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    out, errors = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    with json_view(monkeypatch, out) as view:
        print("my own line")  # noqa: T201 - as strategies do
        view.on_rows([FILL])
    print("after")  # noqa: T201 - the same stream, given back
    assert errors.getvalue() == "my own line\n"
    assert [line[:7] for line in out.getvalue().splitlines()] == ['{"kind"', "after"]


def test_a_reader_that_stalls_costs_rows_and_is_told_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Stalled()
    with json_view(monkeypatch, out) as view:
        view.on_rows([FILL])
        assert out.writing.wait(30)
        monkeypatch.setattr(module, "BOT_VIEW_ROWS_WAITING_MAX", 2)
        for _ in range(5):
            view.on_rows([NOTE, SENT])
        out.go_on.set()
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["kind"] for line in told] == ["fill", "note", "order", "note", "order", "lost"]
    assert told[-1] == {"kind": "lost", "count": 6}
    assert BOT_VIEW_ROWS_WAITING_MAX > 10_000


def test_a_reader_that_has_gone_is_told_to_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = threading.Event()
    with json_view(monkeypatch, Gone(), gone) as view:
        view.on_rows([FILL])
        assert gone.wait(30)


def test_a_terminal_that_cannot_be_drawn_on_gets_lines_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", out := Terminal())
    monkeypatch.setattr(module, "_STATUS_EVERY_S", -1.0)
    with bot_view(as_json=False, gone=list) as view:
        view.on_status(STATUS)
        view.on_rows([HEAD, SENT, FILL])
        view.on_rows([replace(NOTE, kind="log", text="quoting", symbol="")])
    lines = out.getvalue().splitlines()
    assert "11:00:07  sent         b1  buy 0.10 BTC/USD at 60000.0" in lines
    assert "11:00:07  log          quoting" in lines
    assert (
        "11:00:07  running      equity 100,012.34 USD, today -4.50, run +12.34, 2 open orders, 17 fills, "
        "1 of 2 books live"
    ) in lines


def test_json_on_a_terminal_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", out := Terminal())
    with bot_view(as_json=True, gone=list) as view:
        view.on_rows([NOTE])
    assert json.loads(out.getvalue())["note"] == "slow"


def test_a_mistake_of_the_view_ends_no_run_and_is_not_kept_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    unknown: RunRow = object()  # type: ignore[assignment]  # what no view knows
    view = bot_view(as_json=True, gone=list)
    view.on_rows([unknown])
    with pytest.raises(AttributeError), view:
        view.on_status(STATUS)
