"""Records of a bot's journal: what is written is what is read, and whose it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest
from msgspec import structs
from tests.unit.trading.journal_scene import HEAD, NOON, STARTED, ack, ended, fill, intended, refused, unknown

from krakenwire.errors import ConfigError, JournalDamaged, JournalError
from krakenwire.trading import records
from krakenwire.trading.stops import StopLevel

EACH = [
    HEAD,
    STARTED,
    intended(1),
    ack(1),
    refused(1),
    unknown(1),
    records.Absent(time_ns=NOON, id="abc-1"),
    records.Resolved(time_ns=NOON, id="abc-1", accepted=True, evidence="executions", order_id="O-1"),
    records.AmendIntended(time_ns=NOON, id="abc-1", number=1, limit=Decimal("100.50")),
    records.AmendEnded(time_ns=NOON, id="abc-1", number=1, outcome="unknown", reason="no reply"),
    records.CancelIntended(time_ns=NOON, id="abc-1"),
    fill(1, "T-1"),
    ended(1),
    records.StateSaved(time_ns=NOON, state={"levels": [1, "2.50"]}),
    records.Stopped(time_ns=NOON, level=StopLevel.CANCEL_OWN, reason="enough", who="ann"),
    records.Resumed(time_ns=NOON, who="ann"),
    records.DayBegan(time_ns=NOON, equity=Decimal("1000.10"), peak=Decimal(1100)),
    records.Baseline(time_ns=NOON, balances={"USD": Decimal("1000.10")}),
]


def test_every_kind_of_record_is_read_as_it_was_written() -> None:
    assert {type(record) for record in EACH} == set(get_args(records.Record))
    for record in EACH:
        again = records.decode(records.encode(record), "here")
        assert again == record
        assert type(again) is type(record)


def test_exact_numbers_keep_their_digits() -> None:
    found = records.decode(records.encode(fill(1, "T-1", qty="0.10000000")), "here")
    assert isinstance(found, records.Filled)
    assert str(found.qty) == "0.10000000"


@pytest.mark.parametrize("data", [b"", b"{}", b'{"type":"later","time_ns":1}', b'{"type":"ack","time_ns":1}', b"\xff"])
def test_what_is_no_record_of_this_version_is_damage_that_names_the_journal(data: bytes) -> None:
    with pytest.raises(JournalDamaged, match="here"):
        records.decode(data, "here")


@pytest.mark.parametrize("change", [{"account": "b" * 64}, {"strategy": "Grid"}, {"version": 2}])
def test_a_journal_of_something_else_is_refused_even_with_a_yes(change: dict[str, Any]) -> None:
    with pytest.raises(JournalError, match=f"another {next(iter(change))}") as caught:
        records.check_head(HEAD, STARTED, structs.replace(HEAD, **change), STARTED, "here", accept=True)
    assert not isinstance(caught.value, JournalDamaged)


@pytest.mark.parametrize("change", [{"build": "2"}, {"config": "d" * 64}])
def test_a_changed_build_or_configuration_needs_a_yes(change: dict[str, Any]) -> None:
    now = structs.replace(STARTED, **change)
    with pytest.raises(ConfigError, match="--accept-config"):
        records.check_head(HEAD, STARTED, HEAD, now, "here", accept=False)
    records.check_head(HEAD, STARTED, HEAD, now, "here", accept=True)
    records.check_head(HEAD, None, HEAD, now, "here", accept=False)
