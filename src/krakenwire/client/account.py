"""What the client styles share about an account: whose it is, what may be asked, and the outcome of each request.

An `Account` belongs to a `Core`. Opening it, and checking an order against its
instrument, asks REST and may take a moment, so each style does that in its own
way; the rest moves no bytes. Next: `trading` and `aio_trading`, the typed methods.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from krakenwire.client.clock import now_ns
from krakenwire.client.credentials import Credentials
from krakenwire.client.credentials import credentials as credentials_from
from krakenwire.client.environments import is_loopback
from krakenwire.client.permissions import held_permissions, require
from krakenwire.errors import (
    AnswerLost,
    ConfigError,
    ConnectError,
    KrakenwireError,
    UsageError,
    VenueRefusal,
)
from krakenwire.model import (
    AddOrder,
    BatchAdd,
    EditOrder,
    Instrument,
    Outcome,
    Permission,
    Subscription,
    TradingRequest,
    Trigger,
)
from krakenwire.model.orders import METHODS
from krakenwire.model.secrets import Secret
from krakenwire.protocol.permissions import CHANNEL_NEEDS, METHOD_NEEDS, Needs
from krakenwire.session.account import AccountState
from krakenwire.session.lookup import Findings, Lookup, Missing
from krakenwire.session.order_checks import check_request
from krakenwire.session.orders import EXECUTIONS, Orders, Pending
from krakenwire.session.streams import refusal_error
from krakenwire.session.switch import DeadMansSwitch, SwitchState

if TYPE_CHECKING:
    from krakenwire.client.core import Core
    from krakenwire.client.rest import RestClient
    from krakenwire.client.taps import Line

__all__ = ["Account", "Arming", "Reply", "Standing", "SwitchView", "account_subscriptions"]

_WEBSOCKET: Final[Needs] = frozenset({Permission.WEBSOCKET})
_PASSING: Final = ("EService:", "EAPI:Rate limit exceeded", "EAPI:Invalid nonce", "EGeneral:Temporary lockout")
"""Refusals of a token that say nothing about the next time. Source: v2 reference, sections 4.2 and 12."""

_ENCRYPTED: Final = ("wss://", "https://")
_NO_KEY: Final = (
    "Set KRAKEN_API_KEY and KRAKEN_API_SECRET, or give credentials=: a (key, secret) pair, a file, a callable."
)


class Reply:
    """What a style waits for after a request: its outcome.

    Attributes:
        parts: the connection it comes by.
    """

    def __init__(self, line: Line, pending: Pending) -> None:
        self.parts: tuple[tuple[Line, None], ...] = ((line, None),)
        self._pending = pending

    @property
    def outcome(self) -> Outcome | None:
        """None until it is known."""
        return self._pending.outcome

    @property
    def ready(self) -> bool:
        """Whether it is known."""
        return self._pending.outcome is not None


class Arming:
    """What a style waits for before a dead man's switch counts as armed.

    Attributes:
        switch: the switch.
    """

    def __init__(self, line: Line, switch: DeadMansSwitch) -> None:
        self.parts: tuple[tuple[Line, None], ...] = ((line, None),)
        self.switch = switch
        self._line = line

    @property
    def ready(self) -> bool:
        """Whether waiting is over."""
        return self.switch.state == "armed" or self.failure is not None

    @property
    def failure(self) -> KrakenwireError | None:
        """Why it is not armed."""
        if self.switch.error:
            return VenueRefusal(self.switch.error, method="cancel_all_orders_after")
        return self._line.hub.session.failure


class Standing:
    """What a style waits for before it shows how the account stands: all of it known, or no way to know it."""

    def __init__(
        self, line: Line, orders: Orders, channel: str, sources: Collection[str], lookup: Lookup | None = None
    ) -> None:
        self.parts: tuple[tuple[Line, None], ...] = ((line, None),)
        self._line, self._orders, self._channel, self._sources = line, orders, channel, sources
        self._lookup = lookup

    @property
    def ready(self) -> bool:
        """Whether waiting is over."""
        if self.failure is not None:
            return True
        live = all(self._orders.account.step(source) == "live" for source in self._sources)
        asked = self._lookup is None or not self._lookup.pending
        return live and asked and not self._orders.behind()

    @property
    def failure(self) -> KrakenwireError | None:
        """Why it is not known."""
        session = self._line.hub.session
        refused = session.refusal((self._channel, None, None))
        asked = None if self._lookup is None else self._lookup.error
        return session.failure or asked or (None if refused is None else refusal_error(refused))


class Account:
    """The account of one client.

    Args:
        core: whose connections it uses.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._opening = threading.Lock()
        self._rest: RestClient | None = None
        self._held: frozenset[Permission] | None = None
        self._instruments: dict[str, Instrument] = {}

    # -- whose it is ---------------------------------------------------------------

    def open(self) -> RestClient:
        """Find out whose account it is and whether its key is good. Asks REST the first time.

        Raises:
            ConfigError: there are no credentials, or they would go over an open line.
            PermissionMissing: the key may not use WebSocket.
            VenueRefusal: the venue does not take the key.
            TransportError, AnswerLost: it cannot be reached.
        """
        with self._opening:
            if self._rest is None:
                from krakenwire.client.rest import RestClient  # urllib3: only for those who have an account

                options = self._core.options
                place = self._core.open()
                rest = RestClient(place, self.credentials(), ca_file=options.ca_file, insecure=options.insecure)
                self._held = held_permissions(rest)
                self._rest = rest
        require(self._held, [_WEBSOCKET])
        return self._rest

    def credentials(self) -> Credentials:
        """Return whose account it is.

        Raises:
            ConfigError: nobody's: there are no credentials, or they would go over an open line.
        """
        place = self._core.open()
        own = self._core.local_credentials()
        given = self._core.options.credentials
        if own is not None:
            if given is not None:
                raise ConfigError("credentials with on='local'", expected="none: the local Kraken has its own account")
            return own
        found = credentials_from(given)
        if found is None:
            raise ConfigError("this needs an account", expected="credentials", hint=_NO_KEY)
        if not is_loopback(place.host):
            for address in (place.private, place.rest_url()):
                if not address.startswith(_ENCRYPTED):
                    raise ConfigError("credentials", expected="an encrypted connection", found=address)
        return found

    def token(self) -> str:
        """Return a token for a connection that is about to open, or is open; asks REST.

        Raises:
            ConnectError: it could not be had now; trying again may help, and does no harm.
            KrakenwireError: there is none to be had.
        """
        try:
            return self.open().websocket_token().token.reveal()
        except AnswerLost as lost:
            raise ConnectError(self._core.open().rest_url(), f"no token: {lost.reason}") from lost
        except VenueRefusal as refusal:
            if not refusal.error.startswith(_PASSING):
                raise
            raise ConnectError(self._core.open().rest_url(), f"no token: {refusal.error}") from refusal

    @property
    def secret_token(self) -> Secret:
        """What fetches a token each time it is revealed."""
        return Secret(self.token)

    def close(self) -> None:
        """Let go of REST's connections."""
        if self._rest is not None:
            self._rest.close()

    # -- asking ----------------------------------------------------------------------

    def prepare(self, request: TradingRequest) -> None:
        """Refuse what may not or cannot be asked here. Asks REST for an instrument the first time.

        Raises:
            UsageError: orders may not be placed here, or the venue would refuse this one.
            PermissionMissing: the key may not ask for that.
            KrakenwireError: the instrument's rules cannot be had.
        """
        self._allow(request)
        self.open()
        require(self._held, [METHOD_NEEDS[METHODS[request.__class__]]])
        if self._core.options.check_orders:
            instrument = self._instrument(getattr(request, "symbol", None))
            check_request(request, instrument, now_ns=now_ns(), version=self._core.options.version)

    def _allow(self, request: TradingRequest) -> None:
        """Placing orders at a real venue takes a second switch."""
        place = self._core.open()
        harmless = isinstance(request, AddOrder | BatchAdd) and request.validate
        if harmless or place.name == "local" or is_loopback(place.host):
            return
        on = self._core.options.on
        if self._core.options.trading != on:
            hint = f"trading={on!r} lets this client place orders there, with real money."
            raise UsageError(f"orders at {on}", expected=f"the setting trading={on!r}", hint=hint)

    def _instrument(self, symbol: str | None) -> Instrument | None:
        if symbol is None:
            return None
        if symbol not in self._instruments:
            self._instruments = dict(self.open().instruments())
        return self._instruments.get(symbol)

    def line(self) -> Line:
        """Return the connection for the account, made when it is first needed."""
        return self._core.line("executions")

    def ask(
        self,
        request: TradingRequest,
        timeout_s: float | None = None,
        on_outcome: Callable[[Outcome], object] | None = None,
    ) -> Reply:
        """Ask for something about orders that `prepare` has let pass.

        Raises:
            UsageError: this version cannot say it.
        """
        line = self.line()
        if isinstance(request, EditOrder) and self._core.options.version == 1:
            request = self._placed(request)
        timeout_s = self._core.options.request_timeout_s if timeout_s is None else timeout_s
        return Reply(line, line.hub.session.ask(request, now_ns(), timeout_s, on_outcome))

    def _placed(self, edit: EditOrder) -> EditOrder:
        """Version 1 names prices by their place, which the type of the order decides: here it is known."""
        order = self._orders.account.open_orders.get(edit.order_id)
        if edit.limit_price is None or edit.price is not None or edit.triggers is not None or order is None:
            return edit
        trigger = order.triggers
        if trigger is None or trigger.price is None:
            return replace(edit, price=edit.limit_price, price_type=edit.limit_price_type, limit_price=None)
        return replace(edit, triggers=Trigger(price=trigger.price, price_type=trigger.price_type))

    def arm(self, timeout_s: int, renew_s: float | None, owner_s: float | None) -> Arming:
        """Have a dead man's switch armed, and renewed from then on; see `DeadMansSwitch`.

        Raises:
            UsageError: orders may not be placed here, or there is one already.
            ConfigError: times that cannot be.
        """
        line = self.line()
        if self._orders.switch is not None:
            raise UsageError("a dead man's switch", expected="one at a time", hint="It is the whole account's")
        switch = DeadMansSwitch(timeout_s, renew_s, owner_s)
        switch.arm(now_ns())
        line.hub.session.serve(switch, now_ns())
        return Arming(line, switch)

    def let_go(self) -> None:
        """Renew the dead man's switch no more."""
        self.line().hub.session.serve(None, now_ns())

    # -- how it stands -----------------------------------------------------------------

    @property
    def state(self) -> AccountState:
        """Open orders, fills and balances as they are told."""
        return self._orders.account

    @property
    def _orders(self) -> Orders:
        orders = self.line().hub.session.orders
        assert orders is not None
        return orders

    def standing(self, channel: str) -> Standing:
        """Return what to wait for before `state` is shown: ``executions`` or ``balances``.

        What is missing of the former is asked of REST now, even if it was to be asked later.

        Raises:
            PermissionMissing: the key may not see it.
        """
        require(self._held, [CHANNEL_NEEDS[channel]])
        line = self.line()
        if channel != "executions":
            return Standing(line, self._orders, channel, (channel,))
        line.hub.session.look_again(now_ns())
        return Standing(line, self._orders, channel, EXECUTIONS[self._core.options.version], self._orders.lookup)

    def look_up(self, missing: Missing) -> Findings:
        """Ask REST for what nobody has told while no connection was there."""
        rest, since_ns = self.open(), missing.since_ns
        orders = rest.query_orders(missing.order_ids) if missing.order_ids else ()
        trades = None if since_ns is None else tuple(rest.all_trades(start_ns=since_ns or None))[::-1]
        return Findings(orders, trades)


def account_subscriptions(version: int) -> list[Subscription]:
    """Return what the account's connection is always subscribed to, which also keeps its token alive."""
    channels = ("executions",) if version == 1 else ("executions", "balances")
    return [Subscription(channel=channel) for channel in channels]


class SwitchView:
    """A dead man's switch as its owner sees it, whichever way the client waits.

    It is renewed while the client works; the venue cancels every order of the
    account when it is not. An event of type `krakenwire.model.SwitchFired` tells when that happened.
    """

    def __init__(self, arming: Arming, lock: AbstractContextManager[object]) -> None:
        self._switch, self._lock = arming.switch, lock

    @property
    def state(self) -> SwitchState:
        """``armed``, ``doubtful`` when nobody knows of the last renewal, ``fired``, ``disarmed``."""
        with self._lock:
            return self._switch.poll(now_ns())

    @property
    def trigger_ns(self) -> int | None:
        """When it fires unless it is renewed, by our clock; None when it is not set."""
        return self._switch.trigger_ns

    @property
    def fires(self) -> int:
        """How often it has fired."""
        return self._switch.fires

    def alive(self) -> None:
        """Say that you still are there; needed with `owner_s`."""
        with self._lock:
            self._switch.alive(now_ns())
