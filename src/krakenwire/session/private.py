"""The private half of a session: what is asked for about orders, and when it goes out on the connection.

Only a connection on which orders are placed has one. It passes requests to
`orders`, sends what the connection, its token and the account's pace allow,
has another token fetched where the venue refuses the present one, and has
REST asked for what was missed while there was no connection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from krakenwire import limits
from krakenwire.errors import KrakenwireError
from krakenwire.model import Event, Outcome, Refused, TradingRequest
from krakenwire.session.connection import Connection
from krakenwire.session.lookup import Findings
from krakenwire.session.orders import Orders, Pending, is_token_refusal
from krakenwire.session.subscriptions import Ledger
from krakenwire.session.switch import DeadMansSwitch

__all__ = ["ORDERS", "PrivateHalf"]

ORDERS: Final = "orders"
"""Name of the timer."""

_RENEWAL_PAUSE_NS: Final = int(limits.TOKEN_RENEWAL_PAUSE_S * 1_000_000_000)


class PrivateHalf:
    """Requests about orders on one session's connection.

    Args:
        connection: the session's.
        orders: requests, their outcomes, the account.
        ledger: the session's subscriptions.
    """

    def __init__(self, connection: Connection, orders: Orders, ledger: Ledger) -> None:
        self._connection, self.orders, self._ledger = connection, orders, ledger

    def ask(
        self, request: TradingRequest, now_ns: int, timeout_s: float, on_outcome: Callable[[Outcome], object] | None
    ) -> Pending:
        """Ask for something; see `Orders.ask`. It is sent at once when it can be."""
        pending = self.orders.ask(request, now_ns, timeout_s, on_outcome)
        if self._connection.state == "down":
            self.give_up(now_ns)
        self.settle(now_ns)
        return pending

    def serve(self, switch: DeadMansSwitch | None, now_ns: int) -> None:
        """Work a dead man's switch; see `Orders.serve`."""
        self.orders.serve(switch)
        self.settle(now_ns)

    def settle(self, now_ns: int) -> None:
        """Send what may be sent; wake when more may go or something is over."""
        connection, orders = self._connection, self.orders
        if orders.wants_token:
            orders.wants_token = False
            connection.fetch_token()
        if connection.asks and connection.token is not None:
            for frame in orders.frames(connection.token, now_ns):
                connection.send(frame)
        missing = orders.lookup.due(now_ns) if connection.state == "open" else None
        if missing is not None:
            connection.look_up(missing)
        connection.timers.arm(ORDERS, orders.next_deadline_ns(now_ns, connection.asks))

    def looked_up(self, findings: Findings | None, error: KrakenwireError | None, now_ns: int) -> Sequence[Event]:
        """REST has answered; see `Orders.looked_up`."""
        events = self.orders.looked_up(findings, error, now_ns)
        self.settle(now_ns)
        return events

    def look_again(self, now_ns: int) -> None:
        """Ask for what is missing now, whatever came of the last time."""
        self.orders.lookup.again()
        self.settle(now_ns)

    def asks_again(self, refused: Refused, now_ns: int) -> bool:
        """Return whether a refused subscription is asked for again, with another token.

        That is when it was refused for its token, unless that one is new.
        """
        fresh = now_ns - self._connection.token_ns < _RENEWAL_PAUSE_NS
        if fresh or not is_token_refusal(refused.error):
            return False
        entries = [entry for entry in self._ledger.refused(refused) if entry.state == "subscribing"]
        for entry in entries:
            self._ledger.gone(entry)
        if entries:
            self._connection.fetch_token()
        return bool(entries)

    def give_up(self, now_ns: int) -> None:
        """No connection will come any more."""
        failure = self._connection.failure
        self.orders.give_up("the client was closed" if failure is None else str(failure), now_ns)
