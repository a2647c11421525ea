"""Frames for the parsers: plain ones, unusual ones of every kind, reordered and mutated ones.

`PLAIN_*` must be taken. `ODD_*` pairs a frame with what must become of it: left to the codec (-1) or told
from ours as another channel's (0). Nothing here is judged; that is `test_parsers`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from random import Random

from krakenwire.protocol.v1 import venue_frames

__all__ = ["ODD_V1", "ODD_V2", "PLAIN_V1", "PLAIN_V2", "in_version_1", "mutated", "reordered"]

_BOOK = (
    '{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":62410.5,"qty":0.00500000}],'
    '"asks":[],"checksum":2531248887,"timestamp":"2026-08-01T02:53:53.398143Z"}]}'
)
_TRADE_ROW = (
    '{"symbol":"ETH/USD","side":"sell","price":3182.40,"qty":1.25,"ord_type":"limit","trade_id":4665906,'
    '"timestamp":"2026-08-01T02:53:53.398143Z"}'
)
_TRADE = f'{{"channel":"trade","type":"update","data":[{_TRADE_ROW}]}}'
_TICKER = (
    '{"channel":"ticker","type":"snapshot","data":[{"symbol":"XRP/USD","bid":0.5,"bid_qty":10,"ask":0.6,"ask_qty":1.0,'
    '"last":0.55,"volume":0,"vwap":0.5431,"low":0.4,"high":0.7,"change":-0.01,"change_pct":-1.79}]}'
)
_BOOK_V1 = '[560,{"a":[["5541.30000","2.50700000","1534614248.456738"]],"c":"974942666"},"book-10","XBT/USD"]'
_SNAPSHOT_V1 = (
    '[0,{"as":[["5541.3","2.507","1534614248.123678"],["5541.8","0.33","1534614098.345543"]],'
    '"bs":[["5541.2","1.529","1534614248.765567"]]},"book-100","XBT/USD"]'
)
_BOTH_V1 = (
    '[1234,{"a":[["5541.3","2.5","1534614248.456738"],["5542.5","0.4","1534614248.456739","r"]]},'
    '{"b":[["5541.3","0.00000000","1534614335.345903"]],"c":"974942666"},"book-10","XBT/USD"]'
)
_TRADE_V1 = (
    '[0,[["5541.20000","0.15850568","1534614057.321597","s","l",""],'
    '["6060.00000","0.02455000","1534614057.324998","b","m","x"]],"trade","XBT/USD"]'
)


def _with(frame: str, *changes: tuple[str, str]) -> bytes:
    for old, new in changes:
        assert old in frame, (old, frame)
        frame = frame.replace(old, new)
    return frame.encode()


PLAIN_V2 = [
    _BOOK.encode(),
    _TRADE.encode(),
    _TICKER.encode(),
    f" \t\r\n{_BOOK} \n".encode(),
    _with(_BOOK, ('"type":"update"', '"type":"snapshot"')),
    _with(_BOOK, (',"timestamp":"2026-08-01T02:53:53.398143Z"', "")),
    _with(_BOOK, ("62410.5", "0"), ("0.00500000", "0.00000000")),
    _with(_BOOK, ("62410.5", "123456789012345678"), ("0.00500000", "0.12345678901234567")),
    _with(_BOOK, ("2531248887", "0")),
    _with(_BOOK, ("2531248887", "4294967295")),
    _with(_BOOK, ("BTC/USD", "A")),
    _with(_BOOK, ("BTC/USD", "a b~!*/{}[],:" + "x" * 19)),
    _with(_BOOK, ('"asks":[]', '"asks":[ ]')),
    _with(_BOOK, ("2026-08-01", "2024-02-29")),
    _with(_BOOK, ("2026-08-01T02:53:53.398143Z", "1970-01-01T00:00:00.000000Z")),
    _with(_BOOK, ("2026-08-01T02:53:53.398143Z", "2199-12-31T23:59:59.999999Z")),
    _with(_BOOK, ('"type":', '"new":"x\x7f y"'.replace("\x7f", "") + ',"type":')),
    _with(_BOOK, ('"checksum"', '"one":-1.5E+10,"two":true,"three":null,"four":false,"five":0,"checksum"')),
    _with(_BOOK, ("}]}", '}],"time_in":"2026-08-01T02:53:53.398143Z"}')),
    _with(_TRADE, (_TRADE_ROW, f"{_TRADE_ROW} , {_TRADE_ROW},{_TRADE_ROW}")),
    _with(_TRADE, ('"ord_type"', '"odd":1,"ord_type"')),
    _with(_TRADE, ("sell", "buy"), ("limit", "market"), ("update", "snapshot")),
    _with(_TICKER, (',"change":-0.01,"change_pct":-1.79', "")),
    _with(_TICKER, ("-1.79", '-1.79,"trades":135262,"timestamp":"2026-09-25T17:48:26.844359Z"')),
    _with(_TICKER, ("-1.79", '-1.79,"volume_usd":"many","new":7,"trades":0')),
    _with(_TICKER, ("-0.01", "0.00")),
    _with(_TICKER, ('"bid":0.5', '"bid":-0.5')),
    b'{"data":[{"asks":[],"bids":[{"qty":1,"price":2}],"checksum":3,"symbol":"A/B"}],"type":"update","channel":"book"}',
    b'{"data":[{"asks":[],"bids":[],"checksum":3,"symbol":"A/B"}],"channel":"book","type":"update","note":"'
    + b"far from the end " * 8
    + b'"}',
]

_NUMBERS = [
    "1e5",
    "1.5E-3",
    "-1",
    "-0",
    "01",
    "1.",
    ".5",
    "+1",
    "1_0",
    '"1.5"',
    "true",
    "null",
    "[]",
    "NaN",
    "1.5.5",
    "",
]
_NUMBERS += ["1234567890123456789", "0.123456789012345678", "9" * 400]
_TIMES = [
    "2026-08-01T02:53:53Z",
    "2026-08-01T02:53:53.398Z",
    "2026-08-01T02:53:53.398143000Z",
    "2026-08-01T02:53:53.398143+00:00",
    "2026-08-01 02:53:53.398143Z",
    "2026-02-29T02:53:53.398143Z",
    "2100-02-29T02:53:53.398143Z",
    "2026-13-01T02:53:53.398143Z",
    "2026-00-01T02:53:53.398143Z",
    "2026-01-00T02:53:53.398143Z",
    "2026-01-32T02:53:53.398143Z",
    "2026-08-01T24:53:53.398143Z",
    "2026-08-01T02:60:53.398143Z",
    "2026-08-01T02:53:60.398143Z",
    "1969-12-31T23:59:59.999999Z",
    "2200-01-01T00:00:00.000000Z",
    "2026-08-01T02:53:53.39814:Z",
    "2026-08-01T02:53:53.398143z",
    "2O26-08-01T02:53:53.398143Z",
    "",
]

_UNUSUAL_V2 = [
    *(_with(_BOOK, ("62410.5", number)) for number in _NUMBERS),
    *(_with(_TRADE, ('"qty":1.25', f'"qty":{number}')) for number in _NUMBERS),
    *(_with(_TICKER, ('"last":0.55', f'"last":{number}')) for number in _NUMBERS if number != "-1"),
    _with(_TICKER, ("-0.01", "-0.00")),
    _with(_TICKER, ("-0.01", "null")),
    _with(_TICKER, ('"change":-0.01', '"trades":null')),
    _with(_TICKER, ('"change":-0.01', '"trades":1.0')),
    _with(_TICKER, ('"change":-0.01', '"trades":-1')),
    _with(_TICKER, ('"low":0.4,', "")),
    _with(_TICKER, ('"low":0.4', '"low":0.4,"low":0.4')),
    _with(_TICKER, ('"change":-0.01', '"volume_usd":[1]')),
    *(_with(_BOOK, ("2026-08-01T02:53:53.398143Z", time)) for time in _TIMES),
    *(_with(_TRADE, ("2026-08-01T02:53:53.398143Z", time)) for time in _TIMES),
    _with(_BOOK, ('"2026-08-01T02:53:53.398143Z"', "null")),
    _with(_BOOK, ('"2026-08-01T02:53:53.398143Z"', "5")),
    *(_with(_BOOK, ("2531248887", checksum)) for checksum in ("4294967296", "-1", "1.0", "1e3", '"5"', "null", "07")),
    _with(_BOOK, (',"checksum":2531248887', "")),
    _with(_BOOK, ('"asks":[],', "")),
    _with(_BOOK, ('"symbol":"BTC/USD",', "")),
    _with(_BOOK, ('"asks":[]', '"asks":null')),
    _with(_BOOK, ('"asks":[]', '"asks":{}')),
    _with(_BOOK, ('"asks":[]', '"asks":[],"asks":[]')),
    _with(_BOOK, ('"checksum"', '"symbol":"BTC/USD","checksum"')),
    _with(_BOOK, ('"checksum"', '"new":1,"new":1,"checksum"')),
    _with(_BOOK, ('"checksum"', '"new":[1],"checksum"')),
    _with(_BOOK, ('"checksum"', '"new":{"a":1},"checksum"')),
    _with(_BOOK, ('"checksum"', '"new":"\\u0041","checksum"')),
    _with(_BOOK, ('"checksum"', '"check\\u0073um":1,"checksum"')),
    _with(_BOOK, ('"checksum"', '"a\\"b":1,"checksum"')),
    _with(_BOOK, ('"checksum"', '"a\x01b":1,"checksum"')),
    _with(_BOOK, ('"checksum"', '"a\x7fb":1,"checksum"')),
    _with(_BOOK, ('"type"', '"\u20ac":1,"type"')),
    _with(_BOOK, ('"type"', '"\\u0074ype":"snapshot","type"')),
    _with(_BOOK, ('"type"', '"new\x80":1,"type"')).replace(b"\xc2\x80", b"\x80"),
    _with(_BOOK, ('"checksum"', ",".join(f'"new{n}":1' for n in range(9)) + ',"checksum"')),
    _with(_BOOK, ('"qty"', '"new":1,"qty"')),
    _with(_BOOK, ('"qty"', '"price":1,"qty"')),
    _with(_BOOK, (',"qty":0.00500000', "")),
    _with(_BOOK, ('{"price":62410.5,"qty":0.00500000}', '{"price":62410.5,"qty":0.00500000},')),
    _with(_BOOK, ('{"price":62410.5,"qty":0.00500000}', "{}")),
    _with(_BOOK, ('{"price":62410.5,"qty":0.00500000}', "[]")),
    _with(_BOOK, ('{"price":62410.5,"qty":0.00500000}', "1")),
    _with(_BOOK, ("BTC/USD", "")),
    _with(_BOOK, ("BTC/USD", "x" * 33)),
    _with(_BOOK, ("BTC/USD", "BTC\\/USD")),
    _with(_BOOK, ("BTC/USD", "BTC/\u20ac")),
    _with(_BOOK, ("BTC/USD", "BTC/\x7f")),
    _with(_BOOK, ("BTC/USD", "BTC/\x01")),
    _with(_BOOK, ("BTC/USD", "BTC/")).replace(b"BTC/", b"BTC/\xff"),
    _with(_BOOK, ('"symbol":"BTC/USD"', '"symbol":5')),
    _with(_BOOK, ('"update"', '"other"')),
    _with(_BOOK, ('"update"', "null")),
    _with(_BOOK, ('"type":"update",', "")),
    _with(_BOOK, ('"type"', '"type":"update","type"')),
    _with(_BOOK, ('"type"', '"channel":"book","type"')),
    _with(_BOOK, ('"type"', '"method":null,"type"')),
    _with(_BOOK, ('"type"', '"method":"subscribe","type"')),
    _with(_BOOK, ('"type"', '"new":[1],"type"')),
    _with(_BOOK, ("}]}", "}]},")),
    _with(_BOOK, ("}]}", "}]}}")),
    _with(_BOOK, ("}]}", "}]}\x00")),
    _with(_BOOK, ("}]}", '}],"data":[]}')),
    _with(_BOOK, ("}]}", "}],}")),
    _with(_BOOK, ("}]}", "},]}")),
    _with(_BOOK, ("}]}", ',"new"}]}')),
    _with(_BOOK, ("}]}", f"}},{_BOOK[43:-2]}]}}")),
    b'{"channel":"book","type":"update","data":[]}',
    b'{"channel":"book","type":"update","data":[[]]}',
    b'{"channel":"book","type":"update","data":{}}',
    b'{"channel":"book","type":"update"}',
    b'{"channel":"trade","type":"update","data":[]}',
    b'{"data":[1],"type":"update","channel":"ticker"}',
    b'{"channel":"b\\u006fok","type":"update","data":[]}',
    _with(_TRADE, ("sell", "hold")),
    _with(_TRADE, ("limit", "stop")),
    _with(_TRADE, ("4665906", "1.0")),
    _with(_TRADE, ("4665906", "-1")),
    _with(_TRADE, ("4665906", "1234567890123456789")),
    _with(_TRADE, ('"side":"sell",', "")),
    _with(_TRADE, ('"side":"sell"', '"side":"sell","side":"sell"')),
    _with(_TRADE, (_TRADE_ROW, _TRADE_ROW + "," + _TRADE_ROW.replace("ETH", "BTC"))),
    _with(_TRADE, (_TRADE_ROW, _TRADE_ROW + ",")),
    *(b"", b" ", b"{", b"}", b"[", b"[]", b"5", b"null", b'"book"', b"\xef\xbb\xbf{}", b"\x00", b"{{{{", b'{"channel"'),
    b"[" * 5_000,
    b'{"data":' + b"[" * 5_000,
    b'{"data":' + b"[" * 5_000 + b"]" * 5_000 + b',"channel":"book","type":"update"}',
]

ODD_V2 = [
    *((-1, frame) for frame in _UNUSUAL_V2),
    (0, b'{"channel":"heartbeat"}'),
    (0, b'{"channel":"status","type":"update","data":[{"system":"online"}]}'),
    (0, b'{"channel":"level3","type":"update","data":[]}'),
    (0, b'{"channel":"books","type":"update","data":[]}'),
    (0, b'{"type":"update","data":[{"a":[1,{"b":"\\""}]}],"channel":"ohlc"}'),
    (0, b'{"method":"pong","req_id":1}'),
    (0, b'{"error":"you said \\"x\\"","method":"subscribe","success":false}'),
    (0, b'{"result":{"channel":"book","depth":10},"method":"subscribe","success":true}'),
    (0, b"{}"),
    (0, b'{"new":{"a":[]}}'),
]

PLAIN_V1 = [
    _BOOK_V1.encode(),
    _SNAPSHOT_V1.encode(),
    _BOTH_V1.encode(),
    _TRADE_V1.encode(),
    f" {_BOOK_V1}\n".encode(),
    _with(_BOOK_V1, ('"a":', '"b":')),
    _with(_BOOK_V1, ('"]]', '","r"]]')),
    _with(_BOOK_V1, ('"]]', '" , "r" ] ]')),
    _with(_BOOK_V1, (',"c":"974942666"', "")),
    _with(_BOOK_V1, ("974942666", "0000000001")),
    _with(_BOOK_V1, ("974942666", "4294967295")),
    _with(_BOOK_V1, ('[["5541.30000","2.50700000","1534614248.456738"]]', "[]")),
    _with(_BOOK_V1, ("book-10", "book-999999999")),
    _with(_BOOK_V1, ("1534614248.456738", "0000000000.000000")),
    _with(_BOOK_V1, ("XBT/USD", "TSLAx/USD")),
    _with(_BOOK_V1, ("XBT/USD", "xdg/usd")),
    _with(_BOOK_V1, ("XBT/USD", "USDT/ZUSD")),
    b'[1,{"c":"1","b":[["1","2","1534614248.456738"]],"a":[]},"book-25","ETH/XBT"]',
    _with(_SNAPSHOT_V1, ("]]}", ']],"c":"5"}')),
    _with(_SNAPSHOT_V1, ('},"book', '},{"bs":[]},"book'), (',"bs":[["5541.2","1.529","1534614248.765567"]]', "")),
    _with(_TRADE_V1, (',"l",""', ',"l"')),
    _with(_TRADE_V1, ('"s","l"', '"sell","l"'), ('"b","m"', '"buy","m"')),
]

_UNUSUAL_V1 = [
    *(_with(_BOOK_V1, ('"2.50700000"', f'"{number}"')) for number in _NUMBERS if '"' not in number),
    _with(_BOOK_V1, ('"2.50700000"', "2.507")),
    *(_with(_TRADE_V1, ('"0.15850568"', f'"{number}"')) for number in _NUMBERS if '"' not in number),
    *(
        _with(_BOOK_V1, ("1534614248.456738", time))
        for time in ("1534614248", "1534614248.45", "1534614248.4567389", "15346142489.456738", "", "153461424x.456738")
    ),
    _with(_BOOK_V1, ("1534614248.456738", "9999999999.000000")),
    _with(_BOOK_V1, ('"1534614248.456738"', "1534614248.456738")),
    *(_with(_BOOK_V1, ("974942666", checksum)) for checksum in ("4294967296", "", "12345678901", "-1", "1.0", "x")),
    _with(_BOOK_V1, ('"974942666"', "974942666")),
    _with(_BOOK_V1, ('"974942666"', "null")),
    _with(_BOOK_V1, ('"c":', '"c":"1","c":')),
    _with(_BOOK_V1, ('"c":', '"d":')),
    _with(_BOOK_V1, ('"c":', '"a":[],"c":')),
    _with(_BOOK_V1, ('"c":', '"as":[],"c":')),
    _with(_BOOK_V1, ('"]]', '","x"]]')),
    _with(_BOOK_V1, ('"]]', '","r","r"]]')),
    _with(_BOOK_V1, ('"]]', '"],]')),
    _with(_BOOK_V1, (',"1534614248.456738"', "")),
    _with(_BOOK_V1, ("book-10", "book")),
    _with(_BOOK_V1, ("book-10", "book-")),
    _with(_BOOK_V1, ("book-10", "book-0")),
    _with(_BOOK_V1, ("book-10", "book-010")),
    _with(_BOOK_V1, ("book-10", "book-1234567890")),
    _with(_BOOK_V1, ("book-10", "trade")),
    *(
        _with(_BOOK_V1, ("XBT/USD", pair))
        for pair in ("", "XBTUSD", "XBT/BTC", "XXBT/XBT", "USD/ZUSD", "XDG/DOGE", "A/B/C", "/USD", "XBT/", "XBT/USD.d")
    ),
    *(_with(_BOOK_V1, ("XBT/USD", pair)) for pair in ("X BT/USD", "\u20ac/USD", "XBT\\/USD", "x" * 30 + "/USD")),
    _with(_BOOK_V1, ('"XBT/USD"', "5")),
    _with(_BOOK_V1, ("[560", "[-1")),
    _with(_BOOK_V1, ("[560", "[05")),
    _with(_BOOK_V1, ("[560", "[1.5")),
    _with(_BOOK_V1, ("[560", '["1"')),
    _with(_BOOK_V1, ('USD"]', 'USD",]')),
    _with(_BOOK_V1, ('USD"]', 'USD"]]')),
    _with(_BOOK_V1, ('USD"]', 'USD"')),
    _with(_BOTH_V1, ("]]},", ']],"c":"1"},')),
    _with(_BOTH_V1, ('{"b"', '{"a"')),
    _with(_BOTH_V1, ('{"b"', '{"bs"')),
    _with(_BOTH_V1, ('"book', '{"d":1},"book')),
    _with(_BOTH_V1, ('"book', '{},"book')),
    b'[1,{},"book-10","XBT/USD"]',
    b'[1,{"c":"1"},"book-10","XBT/USD"]',
    b'[1,[],"trade","XBT/USD"]',
    b'[1,[[]],"trade","XBT/USD"]',
    _with(_TRADE_V1, ('"s"', '"x"')),
    _with(_TRADE_V1, ('"s"', '""')),
    _with(_TRADE_V1, ('"l"', '"t"')),
    _with(_TRADE_V1, (',"l",""', "")),
    _with(_TRADE_V1, (',"l",""', ',"l","",""')),
    _with(_TRADE_V1, ('"trade"', '"trade-5"')),
    *(b"", b"  ", b"[", b"]", b"[]", b"5", b"null", b"\xef\xbb\xbf[]", b"[" * 5_000, b'[1,{"a":' + b"[" * 5_000),
]

ODD_V1 = [
    *((-1, frame) for frame in _UNUSUAL_V1),
    (0, b'{"event":"heartbeat"}'),
    (0, b' {"event":"pong"}'),
    (0, b'[1,{"a":["5525.4",1,"1.0"],"b":["5525.1",1,"1.0"]},"ticker","XBT/USD"]'),
    (0, b'[1,["5698.4","5700.0","1542057299.545897","1.0","0.98"],"spread","XBT/USD" ] '),
    (
        0,
        b'[42,["1542057314.7","1542057360.4","3586.7","3586.7","3586.6","3586.6","3586.6","0.03",2],"ohlc-5","XBT/USD"]',
    ),
    (0, b'[[{"OGTT3Y":{"status":"open"}}],"openOrders",{"sequence":1}]'),
]


# -- made from others -------------------------------------------------------


class _Number(str):
    """The text of a number."""

    __slots__ = ()


def reordered(rng: Random, frame: bytes, spaced: bool, extra: int = 0) -> bytes:
    """Shuffle the members of every object; add white space, and members to the envelope and to rows."""

    def gap() -> str:
        return "".join(rng.choices(" \t\r\n", k=rng.randrange(3))) if spaced else ""

    def text(value: object, depth: int) -> str:
        if isinstance(value, _Number):
            return str(value)
        if isinstance(value, list):
            return f"[{gap()}" + f"{gap()},{gap()}".join(text(item, depth + 1) for item in value) + f"{gap()}]"
        if not isinstance(value, dict):
            return json.dumps(value)
        members = [*value.items()]
        if depth in (0, 2):
            plain = ("text", True, None, _Number("-0.5e-7"), _Number("12"))
            members += [(f"new_{n}", rng.choice(plain)) for n in range(rng.randrange(1, extra + 1) if extra else 0)]
        rng.shuffle(members)
        pairs = (f'"{name}"{gap()}:{gap()}{text(member, depth + 1)}' for name, member in members)
        return f"{{{gap()}" + f"{gap()},{gap()}".join(pairs) + f"{gap()}}}"

    return f"{gap()}{text(json.loads(frame, parse_float=_Number, parse_int=_Number), 0)}{gap()}".encode()


def in_version_1(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Tell the books and trades of a v2 stream in version 1, as the venue's encoder writes it."""
    for at, frame in enumerate(frames):
        message = json.loads(frame, parse_float=str, parse_int=str)
        row, time = message["data"][0], f"{1_534_614_248 + at // 9}.{at * 997 % 10**6:06d}"
        pair = row["symbol"].replace("BTC", "XBT").replace("DOGE", "XDG")
        if message["channel"] == "book":
            sides = [[(lv["price"], lv["qty"], time, *"r" * (at % 5 == 0)) for lv in row[s]] for s in ("asks", "bids")]
            if message["type"] == "snapshot":
                yield venue_frames.book_snapshot(at, pair, 10, *sides).encode()
            else:
                yield venue_frames.book_update(at, pair, 10, *sides, int(row["checksum"])).encode()
        elif message["channel"] == "trade":
            trade = (row["price"], row["qty"], time, row["side"][0], "lm"[at % 2])
            yield venue_frames.trades(at, pair, [trade] * (1 + at % 3)).encode()


_BYTES = b'0123456789.,:"[]{}eE+-\\ TZabcr/\n\x00\x80\xff'


def mutated(rng: Random, frame: bytes, others: list[bytes]) -> bytes:
    """Change a frame in one to three small ways."""
    made = bytearray(frame)
    for _ in range(rng.choice((1, 1, 2, 3))):
        at, size = rng.randrange(len(made) + 1), rng.randrange(1, 9)
        match rng.randrange(6):
            case 0 if at < len(made):
                made[at] = rng.choice(_BYTES)
            case 1:
                made[at:at] = bytes([rng.choice(_BYTES)])
            case 2:
                del made[at : at + size]
            case 3:
                made[at:at] = made[at : at + size]
            case 4:
                other = rng.choice(others)
                made[at:] = other[rng.randrange(len(other) + 1) :]
            case _:
                digits = [n for n, byte in enumerate(made) if 48 <= byte <= 57]
                if digits:
                    made[rng.choice(digits)] = rng.choice(b"0123456789")
    return bytes(made)
