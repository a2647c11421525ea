"""The account of the threaded client: requests about orders, how it stands, the dead man's switch.

Any thread may call, but callbacks only what does not wait: `send_later`. The
typed methods are in `trading`, market data is in `threaded`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from krakenwire.client.account import Reply, SwitchView
from krakenwire.client.background import Background
from krakenwire.client.core import Core
from krakenwire.client.trading import Trading
from krakenwire.errors import UsageError
from krakenwire.limits import SWITCH_TIMEOUT_S
from krakenwire.model import CancelAllAfter, Fill, OrderState, Outcome, TradingRequest
from krakenwire.session.account import AccountState

if TYPE_CHECKING:
    from krakenwire.client.rest import RestClient

__all__ = ["AccountHalf"]

_AnswerT = TypeVar("_AnswerT")


class AccountHalf(Trading):
    """What a threaded client does for its account.

    Args:
        core: of the client.
        background: its thread.
    """

    def __init__(self, core: Core, background: Background) -> None:
        self._core, self._background = core, background
        self._changed, self._pump = background.changed, background.pump

    def send(self, request: TradingRequest, *, timeout: float | None = None) -> Outcome:
        """Send a request about orders and wait for its outcome; see `krakenwire.client.trading.Trading.send`.

        Not for callbacks, which would wait for themselves: they have `send_later`.
        """
        self._core.account.prepare(request)
        reply = self._asked(request, timeout, None)
        return self._background.awaited(lambda: reply.outcome)

    def send_later(
        self, request: TradingRequest, on_outcome: Callable[[Outcome], object], *, timeout: float | None = None
    ) -> None:
        """Send a request about orders; return at once. For any thread, callbacks included.

        Args:
            request: as for `send`.
            on_outcome: called in the background thread with the outcome.
            timeout: as for `send`.

        Raises:
            UsageError: it may not or cannot be sent; nothing was.
        """
        self._core.account.prepare(request)
        self._asked(request, timeout, lambda outcome: self._background.later(on_outcome, outcome))

    def open_orders(self, timeout: float | None = 10.0) -> dict[str, OrderState]:
        """Return the open orders by id, as the venue tells them.

        Raises:
            WaitTimeout: the venue has not told them within `timeout` seconds.
            KrakenwireError: there is no account, or no way to know.
        """
        return self._stands("executions", timeout, lambda state: dict(state.open_orders))

    def fills(self, timeout: float | None = 10.0) -> list[Fill]:
        """Return the account's fills as far as they were told: the last 50 before this client, then all; each once."""
        return self._stands("executions", timeout, lambda state: list(state.fills.values()))

    def balances(self, timeout: float | None = 10.0) -> dict[str, Decimal]:
        """Return the balances by asset, what is held for open orders included; on version 1 REST is asked."""
        if self._core.options.version == 1:
            return dict(self._core.account.open().balances())
        return self._stands("balances", timeout, lambda state: dict(state.balances))

    @contextmanager
    def dead_mans_switch(
        self, timeout_s: int = SWITCH_TIMEOUT_S, *, renew_s: float | None = None, owner_s: float | None = None
    ) -> Iterator[SwitchView]:
        """Have every order of the account canceled if this client goes silent; use it in a ``with`` statement.

        It is armed when the statement is entered and renewed while the client works in the background.
        Leaving the statement disarms it; leaving it by an error does not: it is renewed no more, and fires.

        Args:
            timeout_s: after so long without a renewal the venue cancels everything.
            renew_s: between renewals; a third of `timeout_s` by default.
            owner_s: renew only while you call `alive` on it at least this often.

        Raises:
            VenueRefusal: the venue does not take it.
        """
        account = self._core.account
        account.prepare(CancelAllAfter(timeout_s=timeout_s))
        self._refuse_in_callback("dead_mans_switch", needed=True)
        with self._changed:
            arming = account.arm(timeout_s, renew_s, owner_s)
        self._pump.wake()
        try:
            self._background.awaited(lambda: arming.ready or None)
            if arming.failure is not None:
                raise arming.failure
            yield SwitchView(arming, self._changed)
        finally:
            with self._changed:
                account.let_go()
        self.cancel_all_after(0)

    @property
    def rest(self) -> RestClient:
        """The account's REST client: histories, positions, figures. Asks REST the first time."""
        return self._core.account.open()

    def _asked(
        self, request: TradingRequest, timeout: float | None, on_outcome: Callable[[Outcome], object] | None
    ) -> Reply:
        self._refuse_in_callback("send", needed=on_outcome is None)
        with self._changed:
            reply = self._core.account.ask(request, timeout, on_outcome)
        self._pump.wake()
        return reply

    def _stands(self, channel: str, timeout: float | None, show: Callable[[AccountState], _AnswerT]) -> _AnswerT:
        """Show how the account stands, once it is known; what ended unseen is asked of REST."""
        account = self._core.account
        account.open()
        self._refuse_in_callback(channel, needed=True)
        with self._changed:
            standing = account.standing(channel)
        self._pump.wake()
        self._background.awaited(lambda: standing.ready or None, timeout, channel)
        if standing.failure is not None:
            raise standing.failure
        with self._changed:
            return show(account.state)

    def _refuse_in_callback(self, what: str, *, needed: bool) -> None:
        """Refuse to wait where waiting never ends."""
        if needed and self._background.is_caller:
            hint = "The callback would wait for itself; send_later does not wait"
            raise UsageError(f"{what} in a callback", expected="another thread", hint=hint)
        if not self._background.started:
            raise UsageError(what, expected="a started client", hint="Call start(), or use a with statement")
