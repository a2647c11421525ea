"""Lines and signals: what is being written when a signal comes is written whole, then the block ends."""

from __future__ import annotations

import io
import os
import signal
import sys

import pytest

from krakenwire.cli.render import ends_on_signals, put, put_table

SIGNALS = [signal.SIGINT, signal.SIGTERM]


class Interrupting(io.StringIO):
    """A text stream in whose writes signals arrive, each once, after the text was taken."""

    def __init__(self, *numbers: signal.Signals) -> None:
        super().__init__()
        self.numbers = list(numbers)

    def write(self, text: str) -> int:
        taken = super().write(text)
        if self.numbers:
            signal.raise_signal(self.numbers.pop(0))
        return taken


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_in_the_middle_of_a_line_ends_the_block_after_it(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", out := Interrupting(number))
    with ends_on_signals():
        put("first")
        put("second")
    put("summary")
    assert out.getvalue() == "first\nsummary\n"


def test_a_second_signal_does_not_wait_for_a_line_that_nobody_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", out := Interrupting(signal.SIGINT, signal.SIGINT))
    with ends_on_signals():
        put("first")
        put("second")
    assert "second" not in out.getvalue()
    put("summary")  # is not interrupted by what waited for the line before
    assert out.getvalue().endswith("summary\n")


def test_handlers_are_as_before_and_an_ignored_signal_stays_ignored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    ours = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ends_on_signals():
            os.kill(os.getpid(), signal.SIGINT)
            assert signal.getsignal(signal.SIGTERM) is not before
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGINT, ours)


def test_a_table_without_rich_or_a_terminal_is_aligned_text(capsys: pytest.CaptureFixture[str]) -> None:
    put_table(("asset", "balance"), [("BTC", "5.01"), ("USD", "99350.2")], numbers=("balance",))
    assert capsys.readouterr().out == "asset  balance\nBTC       5.01\nUSD    99350.2\n"
