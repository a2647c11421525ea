"""Our version 1 venue writes private frames as they were recorded, letter by letter.

Each recorded entry is read into a record or an event by hand, written by us,
and compared with the text that was on the wire. Entries of the documentation
and of 2019 have other nulls and members; they are left out by their names.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from krakenwire.model import (
    Added,
    AllCanceled,
    Amended,
    Answer,
    Canceled,
    Edited,
    Execution,
    Executions,
    OrderRecord,
    OrderRefused,
    Status,
    Subscribed,
    TimerSet,
    TradeRecord,
    TradingReply,
    TriggerState,
)
from krakenwire.model.times import ns_from_rfc3339, ns_from_unix_text
from krakenwire.protocol.descriptions import VOLUME_DECIMALS, PairTexts
from krakenwire.protocol.symbols import to_v2
from krakenwire.protocol.v1 import ClientCodec
from krakenwire.protocol.v1 import private_frames as wire
from krakenwire.protocol.v1.venue import PrivateSubscribe, Refusal, TradingCall, parse_request, refuse_private

UNLIKE = ("-margin-2019", "openOrders-gct-1", "openOrders-gct-5", "openOrders-gct-6")
"""Hand-made and old frames; so are those of the documentation."""


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def vectors(shared: Path, name: str) -> Iterator[tuple[str, Any]]:
    """Frames of a file that a server sent, each with its name."""
    for vector in json.loads((shared / "protocol/vectors" / f"{name}.json").read_text())["vectors"]:
        if vector.get("direction") == "server->client":
            yield vector["id"], json.loads(vector["raw"]) if "raw" in vector else vector["message"]


def pair_of(wsname: str, money: str) -> PairTexts:
    """What the recording shows of a pair: its name, and the decimals of its money."""
    decimals = len(money.partition(".")[2])
    name = wsname.replace("/", "")
    return PairTexts(
        rest_key=name, altname=name, wsname=wsname, price_decimals=1, cost_decimals=5, v1_decimals=decimals
    )


def record_of(order_id: str, entry: Any) -> OrderRecord:
    descr, flags = entry["descr"], entry["oflags"].split(",")
    price, price2 = Decimal(descr["price"]), Decimal(descr["price2"])
    waits = descr["ordertype"] not in ("limit", "market")
    return OrderRecord(
        order_id=order_id,
        status=entry["status"],
        symbol=to_v2(descr["pair"]),
        side=descr["type"],
        order_type=descr["ordertype"],
        order_qty=Decimal(entry["vol"]),
        open_time_ns=ns_from_unix_text(entry["opentm"]),
        limit_price=price2 if waits else price or None,
        triggers=TriggerState(price=price, reference=entry["trigger"]) if waits else None,
        fee_preference="base" if "fcib" in flags else "quote",
        post_only="post" in flags,
        order_userref=entry["userref"] or None,
        cum_qty=Decimal(entry["vol_exec"]),
        cum_cost=Decimal(entry["cost"]),
        fee=Decimal(entry["fee"]),
        avg_price=Decimal(entry["avg_price"]),
        time_in_force=entry["timeinforce"].lower(),
    )


def event_of(order_id: str, entry: Any) -> Execution:
    kinds: dict[str, Any] = {"open": "new", "closed": "filled"}
    status = entry.get("status")
    kind = "trade" if status is None else kinds.get(status, status)
    numbers = {"cum_qty": "vol_exec", "cum_cost": "cost", "cum_fee": "fee", "avg_price": "avg_price"}
    return Execution(
        order_id=order_id,
        exec_type=kind,
        order_status="new",
        time_ns=ns_from_unix_text(entry.get("lastupdated", "0")),
        order_userref=entry["userref"] or None,
        reason=entry.get("cancel_reason"),
        **{ours: Decimal(entry[theirs]) for ours, theirs in numbers.items() if theirs in entry},
    )


def fill_of(exec_id: str, entry: Any) -> TradeRecord:
    return TradeRecord(
        exec_id=exec_id,
        order_id=entry["ordertxid"],
        symbol=to_v2(entry["pair"]),
        time_ns=ns_from_unix_text(entry["time"]),
        side=entry["type"],
        order_type=entry["ordertype"],
        qty=Decimal(entry["vol"]),
        **{name: Decimal(entry[name]) for name in ("price", "cost", "fee", "margin")},
    )


def rewritten(channel: str, entry: Any) -> tuple[str, str]:
    """Our text of an entry, and what kind it is."""
    ((number, told),) = entry.items()
    if channel == "ownTrades":
        return wire.trade_entry(fill_of(number, told), pair_of(told["pair"], told["cost"]), live=False), "trade"
    if "descr" in told:
        return wire.order_entry(record_of(number, told), pair_of(told["descr"]["pair"], told["cost"])), told["status"]
    text = wire.change_entry(event_of(number, told), pair_of("A/B", told.get("cost", "")))
    assert text is not None
    return text, f"now {told.get('status')}"


def test_entries_are_written_as_recorded(shared: Path) -> None:
    seen: Counter[str] = Counter()
    for name, frame in vectors(shared, "v1-private"):
        if not isinstance(frame, list) or "-doc" in name or name.endswith(UNLIKE):
            continue
        entries, channel, tail = frame
        texts, kinds = zip(*(rewritten(channel, entry) for entry in entries), strict=True) if entries else ((), ())
        body = wire.own_trades_body(texts) if channel == "ownTrades" else wire.open_orders_body(texts)
        assert wire.with_sequence(body, tail["sequence"]) == compact(frame), name
        seen.update(kinds)
    assert seen["trade"] >= 50
    told = {"pending", "open", "now open", "now None", "now closed", "now canceled", "now expired"}
    assert told <= seen.keys()


def test_volumes_of_the_recordings_have_eight_decimals(shared: Path) -> None:
    text = (shared / "protocol/vectors/v1-private.json").read_text()
    volumes = [value for value in text.replace("\\", "").split('"vol": "')[1:] if value]
    assert volumes
    assert all(len(volume.partition('"')[0].partition(".")[2]) == VOLUME_DECIMALS for volume in volumes)


def answer_of(status: Any) -> Answer:
    if status["status"] == "error":
        return OrderRefused(status["errorMessage"])
    descr = status.get("descr", "")
    match status["event"]:
        case "addOrderStatus":
            return Added(order_id=status["txid"], descr=descr, cl_ord_id=status.get("cl_ord_id"))
        case "editOrderStatus":
            return Edited(order_id=status["txid"], original_order_id=status["originaltxid"], descr=descr)
        case "amendOrderStatus":
            return Amended(amend_id=status["amend_id"], cl_ord_id=status.get("cl_ord_id"))
        case "cancelOrderStatus":
            return Canceled(order_id="O1")
        case "cancelAllStatus":
            return AllCanceled(status["count"])
    trigger = status["triggerTime"]
    return TimerSet(
        current_ns=ns_from_rfc3339(status["currentTime"]),
        trigger_ns=None if trigger == "0" else ns_from_rfc3339(trigger),
    )


def test_answers_are_written_as_recorded(shared: Path) -> None:
    seen: Counter[str] = Counter()
    statuses = [*vectors(shared, "v1-trading"), *vectors(shared, "v1-private")]
    for name, status in statuses:
        if not isinstance(status, dict) or not str(status.get("event")).endswith("Status"):
            continue
        if "pair" in status or status["event"] in ("subscriptionStatus", "systemStatus"):
            continue
        event = status["event"].removesuffix("Status")
        assert wire.answered(event, answer_of(status), status.get("reqid")) == compact(status), name
        seen[f"{event} {status['status']}"] += 1
    assert len(seen) >= 9


def test_a_private_session_begins_as_recorded(shared: Path) -> None:
    frames = dict(vectors(shared, "v1-private"))
    asked = PrivateSubscribe(event="subscribe", channel="openOrders", token="t")
    assert wire.private_subscribed(asked, 180) == compact(frames["openOrders-session-2022-2"])


def test_documented_requests_about_orders_are_taken(shared: Path) -> None:
    taken = 0
    for vector in json.loads((shared / "protocol/vectors/v1-trading.json").read_text())["vectors"]:
        if vector["direction"] == "client->server":
            asked = parse_request(vector.get("raw") or json.dumps(vector["message"]))
            assert isinstance(asked, TradingCall), vector["id"]
            assert asked.token == (json.loads(vector["raw"]) if "raw" in vector else vector["message"])["token"]
            taken += 1
    assert taken >= 9


def test_an_unknown_member_is_refused_as_recorded(shared: Path) -> None:
    status = dict(vectors(shared, "v1-trading"))["addOrderStatus-err-field"]
    refusal = parse_request(compact({"event": "addOrder", "pair": status["pair"], "refid": "O1"}))
    assert isinstance(refusal, Refusal)
    assert refusal.frames == (compact(status),)
    assert refusal.private is not None
    assert '"event":"addOrderStatus"' in refuse_private(refusal.private, "elsewhere")


def test_clients_read_every_recorded_frame(shared: Path) -> None:
    codec, seen = ClientCodec(), Counter[str]()
    for name, frame in [*vectors(shared, "v1-private"), *vectors(shared, "v1-trading")]:
        if name in ("openOrders-margin-2019", "rest-token-doc"):
            continue  # an array without a sequence; no frame at all
        (event,) = codec.decode(json.dumps(frame))
        if isinstance(event, TradingReply):
            refused = isinstance(event.answer, OrderRefused)
            assert refused == (frame["status"] == "error"), name
            seen[f"{event.method} {refused}"] += 1
        elif isinstance(event, Executions):
            assert [row.exec_id or row.order_id for row in event.executions] == [key for row in frame[0] for key in row]
            seen.update(row.exec_type for row in event.executions)
        else:
            assert isinstance(event, Subscribed | Status), name
    told = {"pending_new", "new", "status", "trade", "filled", "canceled", "expired"}
    assert told | {"add_order True", "add_order False", "edit_order True"} <= seen.keys()


def test_a_recorded_way_of_an_order_is_read_as_it_went(shared: Path) -> None:
    frames, codec = dict(vectors(shared, "v1-private")), ClientCodec()
    rows = []
    for step in range(2, 5):
        (event,) = codec.decode(json.dumps(frames[f"openOrders-gct-{step}"]))
        assert isinstance(event, Executions)
        rows += event.executions
    assert [(row.exec_type, row.order_status) for row in rows] == [
        ("new", "new"),
        ("status", "partially_filled"),
        ("filled", "filled"),
    ]
    assert rows[-1].cum_cost == Decimal("2.64252")
    assert rows[-1].cum_fee == Decimal("0.00687")
