"""The control port: a local venue's operations over HTTP, JSON in and JSON out.

For tests in other languages and for people with a shell; in Python the venue
has the same as methods. It listens on the loopback address only, wants a
token that is told when the venue is ready, and refuses whatever a web page
could send: a foreign Host, or any Origin.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from hmac import compare_digest
from ipaddress import ip_address
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from krakenwire.errors import KrakenwireError
from krakenwire.limits import REQUEST_BYTES_MAX
from krakenwire.model.secrets import Secret
from krakenwire.protocol.v2.encode_answers import answered
from krakenwire.protocol.v2.venue import TradingCall, parse_request
from krakenwire.server.operations import Operations, Which

__all__ = ["Control"]

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# -- what the operations take ------------------------------------------------------


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


class _Seconds(msgspec.Struct, forbid_unknown_fields=True):
    seconds: float


class _Status(msgspec.Struct, forbid_unknown_fields=True):
    status: str


class _Deposit(msgspec.Struct, forbid_unknown_fields=True):
    account: str
    asset: str
    amount: Decimal


class _Act(msgspec.Struct, forbid_unknown_fields=True):
    account: str
    method: str
    params: dict[str, msgspec.Raw] = {}


class _Chosen(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    connection: int | None = None
    version: int | None = None
    host: str | None = None
    account: str | None = None

    @property
    def which(self) -> Which:
        return Which(connection=self.connection, version=self.version, host=self.host, account=self.account)


class _Stall(_Chosen, forbid_unknown_fields=True, kw_only=True):
    seconds: float


class _Garble(_Chosen, forbid_unknown_fields=True, kw_only=True):
    count: int = 1
    how: str = "cut"


class _Updates(msgspec.Struct, forbid_unknown_fields=True):
    count: int = 1
    channel: str = "book"


class _Requests(msgspec.Struct, forbid_unknown_fields=True):
    count: int = 1
    method: str | None = None


class _Delay(_Requests, forbid_unknown_fields=True, kw_only=True):
    seconds: float


class _Fail(_Requests, forbid_unknown_fields=True, kw_only=True):
    error: str = "EService:Unavailable"


# -- the operations ------------------------------------------------------------------

_BodyT = TypeVar("_BodyT", bound=msgspec.Struct)


class _Operation(Generic[_BodyT]):
    """One operation as the port offers it.

    Args:
        does: what it does, one sentence.
        body: what it takes.
        run: carries it out; what it returns goes into the answer.
    """

    def __init__(self, does: str, body: type[_BodyT], run: Callable[[Operations, _BodyT], object]) -> None:
        self._does, self._fields, self._run = does, msgspec.structs.fields(body), run
        self._decoder = msgspec.json.Decoder(body)

    def describe(self) -> dict[str, object]:
        """Return what it does and takes, for people."""
        members = {field.encode_name: "required" if field.required else _default(field) for field in self._fields}
        return {"does": self._does, "members": members}

    def carry_out(self, operations: Operations, body: bytes) -> object:
        """Do it; what raises is the caller's mistake."""
        return self._run(operations, self._decoder.decode(body or b"{}"))


def _default(field: msgspec.structs.FieldInfo) -> object:
    """What a member is when it is left out."""
    return {} if field.default is msgspec.NODEFAULT else field.default


def _act(operations: Operations, asked: _Act) -> object:
    """Place, change or cancel as an account; a v2 request without its token, answered as v2 answers."""
    params = {name: bytes(value) for name, value in asked.params.items()} | {"token": b'"-"'}
    text = b",".join(msgspec.json.encode(name) + b":" + value for name, value in params.items())
    frame = b'{"method":' + msgspec.json.encode(asked.method) + b',"params":{' + text + b"}}"
    now_ns = operations.now_ns
    call = parse_request(frame, now_ns)
    if not isinstance(call, TradingCall):
        error = getattr(call, "error", "not a request about orders")
        raise msgspec.ValidationError(f"{asked.method}: {error}")
    answers = operations.act(asked.account, call.request)
    return {"answers": [msgspec.Raw(answered(call.method, answer, None, now_ns, now_ns)) for answer in answers]}


_READ: Final[Mapping[str, Callable[[Operations], object]]] = {
    "clock": lambda operations: {"now_ns": operations.now_ns, "frozen": operations.frozen},
    "connections": lambda operations: {"connections": operations.connections()},
    "faults": lambda operations: {"faults": operations.faults()},
}
"""What is read with GET."""

_DONE: Final[Mapping[str, _Operation[Any]]] = {
    "freeze": _Operation("hold the venue's clock", _Nothing, lambda to, _: to.freeze()),
    "advance": _Operation("move the venue's clock forward", _Seconds, lambda to, it: to.advance(it.seconds)),
    "resume": _Operation("let the venue's clock run on", _Nothing, lambda to, _: to.resume()),
    "set_status": _Operation("change the trading mode", _Status, lambda to, it: to.set_status(it.status)),
    "deposit": _Operation("let money come in", _Deposit, lambda to, it: to.deposit(it.account, it.asset, it.amount)),
    "act": _Operation("ask for something about orders as an account: a v2 method and its params", _Act, _act),
    "expire_tokens": _Operation("end every WebSocket token", _Nothing, lambda to, _: to.expire_tokens()),
    "cut": _Operation("cut connections without a word", _Chosen, lambda to, it: {"connections": to.cut(it.which)}),
    "stall": _Operation(
        "send and hear nothing for a while", _Stall, lambda to, it: {"connections": to.stall(it.seconds, it.which)}
    ),
    "garble": _Operation(
        "garble the next frames of connections: cut, flip, not_json",
        _Garble,
        lambda to, it: {"connections": to.garble(it.count, it.how, it.which)},
    ),
    "corrupt_checksums": _Operation(
        "send wrong checksums", _Updates, lambda to, it: to.spoil_updates("corrupt_checksums", it.count, it.channel)
    ),
    "drop_updates": _Operation(
        "swallow updates", _Updates, lambda to, it: to.spoil_updates("drop_updates", it.count, it.channel)
    ),
    "duplicate_updates": _Operation(
        "send updates twice", _Updates, lambda to, it: to.spoil_updates("duplicate_updates", it.count, it.channel)
    ),
    "delay_ack": _Operation(
        "hold answers back",
        _Delay,
        lambda to, it: to.spoil_requests("delay_ack", it.count, it.method, seconds=it.seconds),
    ),
    "lose_ack": _Operation(
        "do what is asked and never answer",
        _Requests,
        lambda to, it: to.spoil_requests("lose_ack", it.count, it.method),
    ),
    "lose_request": _Operation(
        "neither do what is asked nor answer",
        _Requests,
        lambda to, it: to.spoil_requests("lose_request", it.count, it.method),
    ),
    "fail": _Operation(
        "refuse what is asked with a text",
        _Fail,
        lambda to, it: to.spoil_requests("fail", it.count, it.method, error=it.error),
    ),
    "clear_faults": _Operation("let nothing more go wrong", _Nothing, lambda to, _: to.clear_faults()),
}
"""What is done with POST."""


# -- the port ---------------------------------------------------------------------------


class Control:
    """The handlers of the control port.

    Args:
        operations: what can be done.
        token: what a caller must know.
    """

    def __init__(self, operations: Operations, token: Secret) -> None:
        self._operations, self._token = operations, token

    def build(self) -> web.Application:
        """Return the aiohttp application."""
        application = web.Application(client_max_size=REQUEST_BYTES_MAX, middlewares=[self._guarded])
        application.router.add_get("/", self._list)
        application.router.add_get("/{name}", self._read)
        application.router.add_post("/{name}", self._do)
        return application

    @web.middleware
    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let nobody in who is no program of this machine with the token; answer mistakes in JSON."""
        if not _is_loopback(request.host) or "Origin" in request.headers:
            return _said(403, "only programs of this machine may use this port, no web page")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not _same(token.strip(), self._token.reveal()):
            return _said(
                401, "the header Authorization: Bearer <control_token> is needed; the venue tells it when ready"
            )
        try:
            return await handler(request)
        except web.HTTPException as error:
            return _said(error.status, _HTTP.get(error.status, error.reason))
        except (msgspec.ValidationError, KrakenwireError) as error:
            return _said(400, str(error))
        except (msgspec.DecodeError, RecursionError) as error:
            return _said(400, f"not JSON: {error}")

    async def _list(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        return _answer({"get": list(_READ), "post": {name: done.describe() for name, done in _DONE.items()}})

    async def _read(self, request: web.Request) -> web.Response:
        read = _READ.get(request.match_info["name"])
        if read is None:
            raise web.HTTPNotFound
        return _answer(read(self._operations))

    async def _do(self, request: web.Request) -> web.Response:
        done = _DONE.get(request.match_info["name"])
        if done is None:
            raise web.HTTPNotFound
        return _answer(done.carry_out(self._operations, await request.read()) or {})


_HTTP: Final = {
    404: "there is no such operation; GET / lists what there is",
    405: "what is read wants GET, what is done wants POST; GET / lists both",
    413: f"at most {REQUEST_BYTES_MAX} bytes",
}


def _answer(content: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")


def _said(status: int, error: str) -> web.Response:
    return web.Response(text=json.dumps({"error": error}), content_type="application/json", status=status)


def _same(given: str, expected: str) -> bool:
    return compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def _is_loopback(host: str) -> bool:
    """Whether a Host header names this machine: a page elsewhere whose name was made to lead here has its own."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
