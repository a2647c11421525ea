"""The folder of a bot: journal and lock, requests from another terminal, status."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.trading.journal_scene import HEAD, NOON, ack, intended

from krakenwire.errors import JournalBusy, JournalDamaged, JournalError
from krakenwire.storage.bot_folder import (
    BotFolder,
    is_running,
    pending_requests,
    read_status,
    request_flatten,
    request_resume,
    request_stop,
)
from krakenwire.trading.stops import StopLevel


def opened(path: Path, **how: Any) -> BotFolder:
    return BotFolder(path, sync=False, now_ns=lambda: NOON, **how)


def test_one_process_at_a_time_and_others_see_that_it_runs(tmp_path: Path) -> None:
    folder = tmp_path / "bot"
    assert not is_running(folder)
    with opened(folder):
        assert is_running(folder)
        with pytest.raises(JournalBusy, match=r"bot: another process runs the bot of this folder\. Stop"):
            opened(folder)
    assert not is_running(folder)
    opened(folder).close()


def test_the_journal_goes_on_where_it_ended_and_ids_are_never_handed_out_twice(tmp_path: Path) -> None:
    with opened(tmp_path, deadline_s=2.0) as folder:
        journal = folder.journal
        journal.append(HEAD)
        assert [journal.new_id(), journal.new_id()] == ["abc-1", "abc-2"]
        journal.intent(intended(3).intent)
        assert journal.known.orders["abc-3"].deadline_ns == NOON + 2_000_000_000
        assert journal.new_id() == "abc-4"
    with opened(tmp_path) as folder:
        assert list(folder.journal.known.open) == ["abc-3"]
        assert folder.journal.new_id() == "abc-4"


def test_an_intent_waits_for_the_disk_and_what_the_venue_tells_again_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    with BotFolder(tmp_path, now_ns=lambda: NOON) as folder:
        monkeypatch.setattr(os, "fsync", synced.append)
        folder.journal.intent(intended(1).intent)
        assert len(synced) == 1
        folder.journal.append(ack(1), sync=False)
        assert len(synced) == 1
        assert folder.journal.known.orders["abc-1"].step == "open"


def test_amendments_are_numbered_and_cancels_noted(tmp_path: Path) -> None:
    with opened(tmp_path) as folder:
        journal = folder.journal
        journal.append(HEAD, intended(1), ack(1))
        order = journal.known.orders["abc-1"]
        journal.amend(order, Decimal(99), None)
        journal.amend(order, None, Decimal(2))
        journal.cancel(order)
        assert (list(order.amends), order.canceling) == ([1, 2], True)


def test_a_torn_end_is_cut_and_damage_before_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as folder:
        folder.journal.append(HEAD, intended(1), ack(1))
    path = tmp_path / "journal"
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with opened(tmp_path) as folder:
        assert folder.journal.cut_bytes > 0
        assert folder.journal.known.orders["abc-1"].step == "intent"
    damaged = whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]
    path.write_bytes(damaged)
    with pytest.raises(JournalDamaged, match="journal"):
        opened(tmp_path)
    assert path.read_bytes() == damaged
    assert not is_running(tmp_path)


def test_after_a_write_that_failed_nothing_more_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    with opened(tmp_path) as folder:
        journal = folder.journal
        journal.append(HEAD)
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(JournalError, match="No space left"):
                journal.append(intended(1))
        assert journal.failure is not None
        with pytest.raises(JournalError, match="No space left"):
            journal.append(intended(2))
        assert journal.known.orders == {}


def test_requests_wait_in_their_order_until_they_are_done(tmp_path: Path) -> None:
    with opened(tmp_path) as folder:
        assert folder.requests() == []
        stop = request_stop(tmp_path, StopLevel.CANCEL_ALL, "fire", who="ann")
        request_resume(tmp_path, who="bob")
        request_flatten(tmp_path, "home")
        first, second, third = folder.requests()
        assert (first.kind, first.level, first.reason, first.who) == ("stop", StopLevel.CANCEL_ALL, "fire", "ann")
        assert (second.kind, second.who, third.kind, third.reason) == ("resume", "bob", "flatten", "home")
        folder.done(first)
        folder.done(first)
        assert not stop.exists()
        assert pending_requests(tmp_path) == [second, third]


@pytest.mark.parametrize("text", ["", "{", '{"kind":"dance"}', '{"kind":"stop","level":9}', '{"kind":"stop","x":1}'])
def test_a_request_that_cannot_be_read_is_a_stop(tmp_path: Path, text: str) -> None:
    with opened(tmp_path) as folder:
        (tmp_path / "control" / "1.json").write_text(text)
        (request,) = folder.requests()
        assert (request.kind, request.level) == ("stop", StopLevel.NO_ORDERS)
        assert "1.json cannot be read" in request.reason


def test_a_request_to_what_is_no_bots_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="not the folder of a bot"):
        request_stop(tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_status_is_read_as_it_was_written_and_none_before(tmp_path: Path) -> None:
    with opened(tmp_path) as folder:
        assert read_status(tmp_path) is None
        folder.write_status({"equity": Decimal("1000.10"), "stopped": None})
    assert read_status(tmp_path) == {"equity": "1000.10", "stopped": None}
    (tmp_path / "status.json").write_text("{")
    with pytest.raises(JournalError, match=r"status\.json"):
        read_status(tmp_path)
