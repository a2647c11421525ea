"""Recorded frames of v2's private half: every one is understood, and written again letter by letter.

What the venue sent is decoded by the client's codec and encoded by the
venue's: same members in the same order, same digits, same texts. Where a
recording is of an older service, or its fixture was edited, a table says so.
The documented examples are held to the same, but for what only documentation
prints. Requests go the other way round.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from krakenwire.model import (
    BalanceChanges,
    Balances,
    Event,
    Executions,
    OrderRefused,
    Refused,
    Subscribed,
    TradingReply,
    Unsubscribed,
)
from krakenwire.model.orders import METHODS
from krakenwire.model.times import ns_from_rfc3339
from krakenwire.protocol.v2 import ClientCodec, encode, encode_private
from krakenwire.protocol.v2.encode_answers import answered
from krakenwire.protocol.v2.private_words import PRIVATE_CHANNELS
from krakenwire.protocol.v2.trading import encode_request
from krakenwire.protocol.v2.venue import PrivateSubscribe, PrivateUnsubscribe, Refusal, TradingCall, parse_request

RECORDED = ("executions", "balances", "trading", "errors")
PAGES = (
    *("executions", "balances", "add_order", "amend_order", "edit_order", "cancel_order", "cancel_all"),
    *("cancel_after", "batch_add", "batch_cancel"),
)

OTHERWISE = {
    "subscribe ack, pro tier (2024-05)": "the service of 2024 did not name snap_orders and snap_trades",
    "snapshot (2024; wallets emptied by the fixture author)": "wallets stood behind the balance",
    "add_order ok with req_id": "members of the result were not in alphabetical order",
    "batch_cancel ok (2024-05: count at top level, not in result)": "the count stands in the result too",
}
"""Recordings that the venue of 2026 writes otherwise, by label."""

OTHERWISE_DOCUMENTED = {
    ("executions", 0): "the example has neither snapshot nor warnings",
    ("executions", 1): "order_userref stands early, recordings have it behind the type",
    ("balances", 1): "type stands behind data, and wallets behind the balance",
    ("batch_add", 0): "time_out is not a time",
    ("batch_cancel", 0): "time_out is not a time",
}
"""Examples of a page that are printed otherwise, by page and place among its server frames."""


def vectors(shared: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((shared / f"protocol/vectors/v2-{name}.json").read_text())
    return content


def recorded(shared: Path, sender: str) -> Iterator[tuple[str, str]]:
    """Label and text of each recorded frame of the private half."""
    for name in RECORDED:
        for row in vectors(shared, f"{name}-recorded")["frames"]:
            if row["from"] == sender and "raw" in row:
                yield row["label"], row["raw"]


def documented(shared: Path, sender: str) -> Iterator[tuple[tuple[str, int], str]]:
    """Page, place and text of each documented frame of the private half."""
    examples = vectors(shared, "docs-examples")["examples"]
    for page in PAGES:
        frames = [row["raw"] for row in examples if row["page"] == page and row["from"] == sender]
        yield from (((page, place), frame) for place, frame in enumerate(frames))


def understood(frame: str) -> Event:
    codec = ClientCodec()
    (event,) = codec.decode(frame)
    assert codec.unknown_members == 0, frame
    return event


def written(event: Event, frame: str) -> str | None:
    """What the venue writes for a private event; None for one that is not private."""
    if isinstance(event, Executions):
        return encode_private.with_sequence(encode_private.executions_body(event), event.sequence)
    if isinstance(event, Balances):
        return encode_private.with_sequence(encode_private.balances_body(event), event.sequence)
    if isinstance(event, BalanceChanges):
        return encode_private.with_sequence(encode_private.balance_changes_body(event), event.sequence)
    if isinstance(event, TradingReply):
        time_in_ns, time_out_ns = event.time_in_ns or 0, event.time_out_ns or 0
        return answered(event.method, event.answer, event.req_id, time_in_ns, time_out_ns)
    return replied(event, frame)


def replied(event: Event, frame: str) -> str | None:
    """What the venue writes when it confirms or refuses a private subscription."""
    reply = json.loads(frame)
    times = ns_from_rfc3339(reply["time_in"]), ns_from_rfc3339(reply["time_out"])
    if isinstance(event, Refused) and event.channel_name in PRIVATE_CHANNELS:
        return encode.refused(event, *times)
    channel = reply.get("result", {}).get("channel")
    if channel not in PRIVATE_CHANNELS:
        return None
    if isinstance(event, Unsubscribed):
        return encode_private.unsubscribed(PrivateUnsubscribe(channel=channel, token="t", req_id=event.req_id), *times)
    assert isinstance(event, Subscribed)
    begins = {name: reply["result"][name] for name in ("snap_orders", "snap_trades") if name in reply["result"]}
    request = PrivateSubscribe(channel=channel, token="t", req_id=event.req_id, **begins)
    if channel == "balances":
        return encode_private.balances_subscribed(request, *times)
    assert event.maxratecount is not None
    return encode_private.executions_subscribed(request, event.maxratecount, *times)


def test_every_recorded_frame_is_written_again_letter_by_letter(shared: Path) -> None:
    otherwise: set[str] = set()
    kinds: set[str] = set()
    for label, frame in recorded(shared, "server"):
        event = understood(frame)
        ours = written(event, frame)
        if ours is None:
            continue  # of the public half; those are compared elsewhere
        kinds.add(f"{event.channel} {event.method}" if isinstance(event, TradingReply) else event.channel)
        if ours != frame:
            otherwise.add(label)
    assert otherwise == set(OTHERWISE)
    assert kinds == {
        *("executions", "balances", "subscribed", "refused"),
        *(f"reply {method}" for method in METHODS.values()),
    }


def test_every_kind_of_report_was_among_them(shared: Path) -> None:
    events = [understood(frame) for _, frame in recorded(shared, "server")]
    reports = [row for event in events if isinstance(event, Executions) for row in event.executions]
    assert {row.exec_type for row in reports} == {"pending_new", "new", "trade", "amended", "canceled"}
    assert {row.triggers is None for row in reports} == {True, False}
    alone = f'{{"channel":"executions","type":"snapshot","data":[{single_row(shared)}],"sequence":1}}'
    assert written(understood(alone), alone) == alone


def single_row(shared: Path) -> str:
    row: str = vectors(shared, "executions-recorded")["single_trade_row"]["raw"]
    return row


def test_every_documented_frame_is_written_again_letter_by_letter(shared: Path) -> None:
    frames = list(documented(shared, "server"))
    assert {page for (page, _), _ in frames} == set(PAGES)
    otherwise = {place for place, frame in frames if written(understood(frame), frame) != frame}
    assert otherwise == set(OTHERWISE_DOCUMENTED)


# -- requests ----------------------------------------------------------------------


def before(params: dict[str, Any]) -> int:
    """A time at which the deadline of a request is a good one."""
    deadline = params.get("deadline")
    return 0 if deadline is None else ns_from_rfc3339(deadline) - 5_000_000_000


def plain(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters without what only says the default."""
    return {name: value for name, value in params.items() if value is not False}


def test_every_request_on_record_is_taken_and_written_again(shared: Path) -> None:
    methods = set()
    rows: list[tuple[object, str]] = [*recorded(shared, "client"), *documented(shared, "client")]
    for label, frame in rows:
        asked = json.loads(frame)
        params = asked["params"]
        request = parse_request(frame, before(params))
        methods.add(asked["method"])
        if isinstance(request, TradingCall):
            again = json.loads(encode_request(request.request, request.token, 7))["params"]
            expected = plain(params)
            if "deadline" in params:
                expected["deadline"] = params["deadline"][:23] + "Z"
            assert again == expected, label
        else:
            assert isinstance(request, PrivateSubscribe | PrivateUnsubscribe), label
            for name, value in params.items():
                assert getattr(request, name) == value, (label, name)
        assert request.req_id == asked.get("req_id")
    assert methods == {"subscribe", "unsubscribe", *METHODS.values()}


@pytest.mark.parametrize(
    ("label", "request_"),
    [
        (
            "string where a number is required",
            '{"method":"add_order","params":{"order_type":"market","cash_order_qty":"5","token":"t"},"req_id":7}',
        ),
        ("token missing", '{"method":"edit_order","params":{"order_id":"O1","symbol":"A/B"},"req_id":0}'),
        (
            "string where a number is required (amend)",
            '{"method":"amend_order","params":{"order_id":"O1","limit_price":"5","token":"t"},"req_id":0}',
        ),
    ],
)
def test_a_recorded_refusal_is_given_to_a_request_that_deserves_it(shared: Path, label: str, request_: str) -> None:
    (frame,) = (text for name, text in recorded(shared, "server") if name == label)
    theirs = understood(frame)
    assert isinstance(theirs, TradingReply)
    assert theirs.time_in_ns is not None
    assert theirs.time_out_ns is not None
    refusal = parse_request(request_)
    assert isinstance(refusal, Refusal)
    answer = OrderRefused(refusal.error)
    assert answered(refusal.method, answer, refusal.req_id, theirs.time_in_ns, theirs.time_out_ns) == frame
