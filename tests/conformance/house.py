"""A local Kraken with some accounts behind its real gateways, for tests: a request in, what answers it out.

No sockets: frames and signed calls go straight into what the server would
hand them to. A request about orders can be asked the same on every version.
"""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from krakenwire.apps.served_venue import ServedVenue
from krakenwire.model import AddOrder, CancelAll, TradingRequest
from krakenwire.model.rates import RateLimit
from krakenwire.protocol.rest_body import form_body
from krakenwire.protocol.rest_client import rest_call
from krakenwire.protocol.rest_sign import SignedCall, sign
from krakenwire.protocol.v1.trading import encode_request as encode_v1
from krakenwire.protocol.v2.private_words import METHODS
from krakenwire.protocol.v2.trading import encode_request as encode_v2
from krakenwire.venue import INSTRUMENTS, Publisher, Venue, VenueConfig
from krakenwire.venue.access.keys import ApiKey
from krakenwire.venue.access.pace import AccountLimits
from krakenwire.venue.access.permissions import ALL_PERMISSIONS, Permission
from krakenwire.venue.config.accounts_config import AccountConfig
from krakenwire.venue.config.local_config import ServiceConfig
from krakenwire.venue.gateways import v1, v2
from krakenwire.venue.gateways.hosts import Host
from krakenwire.venue.trading import Account
from krakenwire.venue.trading.records import Records

SECOND: Final = 1_000_000_000
T0: Final = 1_790_000_000 * SECOND
REQ_ID: Final = 7

Version = Literal["v1", "v2", "rest"]
VERSIONS: Final[tuple[Version, ...]] = ("v1", "v2", "rest")
V1_EVENTS: Final = {
    "add_order": "addOrder",
    "amend_order": "amendOrder",
    "edit_order": "editOrder",
    "cancel_order": "cancelOrder",
    "cancel_all": "cancelAll",
    "cancel_all_orders_after": "cancelAllOrdersAfter",
}
"""How v1 calls a method of v2."""


def secret(name: str) -> str:
    """The private part of an account's key: its name, over and over."""
    return b64encode((name * 64)[:64].encode()).decode()


def _member(
    name: str,
    *,
    limits: AccountLimits | None = None,
    margin: bool = False,
    permissions: frozenset[Permission] = ALL_PERMISSIONS,
    **balances: int,
) -> AccountConfig:
    key = ApiKey(key=name, secret=secret(name), account=name, permissions=permissions)  # type: ignore[arg-type]
    return AccountConfig(
        name=name,
        balances={asset: Decimal(amount) for asset, amount in balances.items()},
        margin=margin,
        limits=limits or AccountLimits(),
        keys=(key,),
    )


_READS: Final = frozenset({Permission.QUERY_OPEN_ORDERS, Permission.QUERY_CLOSED_ORDERS, Permission.WEBSOCKET})
_THREE_POINTS: Final = RateLimit(Decimal(3), Decimal("0.001"))

MEMBERS: Final = (
    _member("ann", USD=10_000_000, BTC=100, SOL=1_000),
    _member("bob", USD=10_000_000, BTC=100, SOL=1_000),
    _member("poor", USD=1),
    _member("reader", permissions=_READS, USD=1_000),
    _member("marge", margin=True, USD=1_000),
    _member("tycoon", margin=True, USD=900_000_000),
    _member("hasty", limits=AccountLimits(trading=_THREE_POINTS, rest=_THREE_POINTS), USD=1_000_000),
    _member("crowded", limits=AccountLimits(open_orders=2), USD=1_000_000),
)


_SERVICE: Final = ServiceConfig()


class House:
    """One venue and whoever is connected to it.

    Args:
        service: what holds for its connections.

    Its book stands still: nothing moves but what requests move. What followers are told is in `got`.
    """

    def __init__(self, service: ServiceConfig = _SERVICE) -> None:
        without_index = msgspec.structs.replace(INSTRUMENTS["SOL/USD"], has_index=False)
        listing = (INSTRUMENTS["BTC/USD"], without_index)
        self.now_ns = T0
        config = VenueConfig(rate=0.1, start_ns=T0, accounts=MEMBERS, listing=listing)
        self.served = ServedVenue(config, service=service)
        self.got: dict[object, list[Any]] = defaultdict(list)
        self._nonce = 0

    @property
    def venue(self) -> Venue:
        return self.served.venue

    @property
    def records(self) -> Records:
        """How orders, fills and entries are told."""
        return self.served._front.records

    def account(self, name: str) -> Account:
        account = self.venue.ledger.account(name)
        assert account is not None
        return account

    def tick(self) -> int:
        self.now_ns += SECOND // 1_000
        return self.now_ns

    def set_status(self, status: str) -> None:
        for _ in self.served.set_status(status, self.tick()):
            pass

    def rest_a_while(self) -> None:
        """Let nobody have an open order, and every counter run down."""
        self.set_status("online")
        for account in self.venue.ledger.accounts:
            if account.keeps_history:
                self.venue.exchange.execute(account, CancelAll(), self.now_ns)
        self.now_ns += 86_400 * SECOND

    # -- WebSocket ------------------------------------------------------------------

    def connect(self, version: Version, host: Host = "any") -> v1.Gateway | v2.Gateway:
        gateway = self.served.open_gateway(1 if version == "v1" else 2, host)
        gateway.feed_open(self.tick())
        return gateway

    def connect_outside(self, version: Version) -> v1.Gateway | v2.Gateway:
        """A connection to an address that knows of no accounts."""
        if version == "v2":
            return v2.Gateway(self.venue, Publisher(), 1)
        return v1.Gateway({m.symbol: m for m in self.venue.markets}, Publisher(), lambda: self.venue.status, 1)

    def feed(self, gateway: v1.Gateway | v2.Gateway, frame: str | bytes) -> list[Any]:
        """Return what answers a frame; what followers are told goes to `got`."""
        answers = [msgspec.json.decode(text) for text in gateway.feed_frame(frame, self.tick())]
        self.tell()
        return answers

    def send(self, gateway: v1.Gateway | v2.Gateway, request: dict[str, Any]) -> list[Any]:
        return self.feed(gateway, msgspec.json.encode(request))

    def tell(self) -> None:
        for text, followers in self.served.news():
            for follower in followers:
                self.got[follower].append(msgspec.json.decode(text))

    def token(self, name: str) -> str:
        answer = self.rest(name, "GetWebSocketsToken")
        token = answer["result"]["token"]
        assert isinstance(token, str)
        return token

    # -- REST -------------------------------------------------------------------------

    def rest(self, name: str, method: str, **params: str) -> dict[str, Any]:
        """Return the answer to a signed call."""
        return self.call(name, method, form_body({"nonce": self.nonce(), **params}))

    def nonce(self) -> str:
        self._nonce += 1
        return str(self._nonce)

    def call(self, name: str, method: str, body: bytes, nonce: str | None = None) -> dict[str, Any]:
        """Return the answer to a call with a body as it stands, signed with the latest nonce or another text."""
        path = f"/0/private/{method}"
        signature = sign(path, str(self._nonce) if nonce is None else nonce, body, secret(name))
        return self.signed(SignedCall(path, name, signature, body, "", "127.0.0.1"))

    def signed(self, call: SignedCall) -> dict[str, Any]:
        answer = msgspec.json.decode(self.served.private(call, self.tick()))
        self.tell()
        assert isinstance(answer, dict)
        return answer


class Door:
    """One account's way in, on one version."""

    def __init__(self, house: House, version: Version, name: str) -> None:
        self.house, self.version, self.name = house, version, name
        self.token = "" if version == "rest" else house.token(name)
        self.gateway = None if version == "rest" else house.connect(version)

    def ask(self, request: TradingRequest) -> list[Any]:
        """Return the answers to a request about orders, as they are written."""
        if self.gateway is None:
            call = rest_call(request)
            return [self.house.rest(self.name, call.method, **call.params)]
        encode = encode_v1 if self.version == "v1" else encode_v2
        return self.house.feed(self.gateway, encode(request, self.token, REQ_ID))

    def order(self, symbol: str = "BTC/USD", **changes: Any) -> AddOrder:
        """A limit order that rests, with what is to be different."""
        market = self.house.venue.market(symbol)
        assert market is not None
        price = Decimal(market.quote.bid * 9 // 10).scaleb(-market.instrument.price_precision)
        plain = AddOrder(symbol=symbol, side="buy", order_type="limit", order_qty=Decimal("0.01"), limit_price=price)
        return msgspec.structs.replace(plain, **changes)

    def place(self, **changes: Any) -> str:
        """Place an order that must be taken in; return its id."""
        (answer,) = self.ask(self.order(**changes))
        return str(order_id(self.version, answer))

    def refused(self, request: TradingRequest) -> str:
        """Ask for something that must be refused, in the shape of its version; return the text."""
        (answer,) = self.ask(request)
        return refusal(self.version, answer, METHODS[request.__class__])


def order_id(version: Version, answer: dict[str, Any]) -> str:
    if version == "v1":
        return str(answer["txid"])
    return str(answer["result"]["order_id"] if version == "v2" else answer["result"]["txid"][0])


def refusal(version: Version, answer: dict[str, Any], method: str) -> str:
    """The text of a refused request about orders; the answer must have just the members that a refusal has."""
    if version == "rest":
        (text,) = answer.pop("error")
        assert answer == {}, answer
        return str(text)
    if version == "v1":
        text = answer.pop("errorMessage")
        assert answer == {"event": f"{V1_EVENTS[method]}Status", "reqid": REQ_ID, "status": "error"}
        return str(text)
    text, times = answer.pop("error"), (answer.pop("time_in"), answer.pop("time_out"))
    assert answer == {"method": method, "req_id": REQ_ID, "success": False}
    assert all(time.endswith("Z") for time in times)
    return str(text)
