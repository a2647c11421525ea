"""The front of the exchange: for whom a token speaks, and who is told what happens to an account.

Gateways ask here; what they are told about accounts is made once for all
connections that follow one. What an account may do is its key's matter.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Protocol

from krakenwire.errors import JournalError
from krakenwire.limits import VENUE_FILLS_SHOWN
from krakenwire.model import (
    Answer,
    BalanceChange,
    BalanceChanges,
    Balances,
    CancelOrders,
    Execution,
    Executions,
    OrderRefused,
    TradingRequest,
    Wallet,
    WalletBalance,
)
from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.model.rates import TIERS
from krakenwire.protocol.descriptions import PairTexts
from krakenwire.protocol.rest import UNAVAILABLE
from krakenwire.protocol.v2.encode_private import balance_changes_body, executions_body
from krakenwire.venue.inputs import Inputs
from krakenwire.venue.market.instruments import VenueInstrument
from krakenwire.venue.trading import Account, Exchange, Report
from krakenwire.venue.trading.records import Records
from krakenwire.venue.trading.reports import status_of

__all__ = ["Follower", "Front", "Permit", "Told", "answers_due"]


class Told:
    """One thing that happened to an account, with its v2 text made when it is first needed."""

    __slots__ = ("_body", "account", "report")

    def __init__(self, account: Account, report: Report) -> None:
        self.account, self.report = account, report
        self._body = ""

    @property
    def body(self) -> str:
        """The v2 message without its sequence."""
        if not self._body:
            self._body = _body(self.report)
        return self._body


def _body(report: Report) -> str:
    if isinstance(report, BalanceChange):
        return balance_changes_body(BalanceChanges(changes=(report,), sequence=0))
    return executions_body(Executions(kind="update", executions=(report,), sequence=0))


class Follower(Protocol):
    """A connection that follows an account."""

    def tell(self, told: Told) -> Sequence[str]:
        """Return the frames for this connection, none if it did not ask for that kind."""
        ...


class Permit(Protocol):
    """Says for whom a token speaks."""

    def account(self, token: str, asked: str, now_ns: int) -> Account | str:
        """Return the account, or the text to refuse with: a bad token, or one that may not do what is asked.

        Args:
            token: as the client sent it.
            asked: a method or a channel by its v2 name.
            now_ns: the time.
        """
        ...

    def keep(self, token: str, holder: Hashable) -> None:
        """Take note that a subscription was opened with a valid token; `holder` names it."""
        ...

    def release(self, token: str, holder: Hashable) -> None:
        """Take note that it has ended."""
        ...


class Front:
    """What gateways know of accounts.

    Attributes:
        exchange: where accounts trade, for reading.
        permit: says for whom a token speaks.
        records: complete states of orders, fills and entries.
        pairs: how v1 and REST write about each instrument, by v2 symbol.

    Args:
        exchange, permit: as above.
        inputs: the way in to the venue.
    """

    def __init__(self, exchange: Exchange, inputs: Inputs, permit: Permit) -> None:
        self.exchange, self.permit = exchange, permit
        reports = exchange.reports
        self.records = Records(exchange.ledger.decimals, reports.exec_ids, reports.entry_ids, exchange.amend_ids)
        self.pairs = {symbol: _pair_texts(desk.terms.instrument) for symbol, desk in exchange.desks.items()}
        self._inputs = inputs
        self._followers: dict[Account, dict[Follower, None]] = {}

    def ask(self, account: Account, request: TradingRequest, now_ns: int) -> tuple[Answer, ...]:
        """Do what an account asks for; return one answer, for a cancellation one per id.

        What cannot be written down is not done: the venue is unavailable.
        """
        try:
            return self._inputs.ask(account, request, now_ns)
        except JournalError:
            return (OrderRefused(UNAVAILABLE),)

    def look(self) -> None:
        """Say that somebody is about to see how an account stands: what is seen stays so, whatever happens."""
        self._inputs.reached()

    def follow(self, account: Account, follower: Follower) -> None:
        """Tell a connection what happens to an account from now on."""
        account.followed = True
        self._followers.setdefault(account, {})[follower] = None

    def leave(self, account: Account, follower: Follower) -> None:
        """Tell a connection no more."""
        followers = self._followers.get(account, {})
        followers.pop(follower, None)
        if not followers:
            self._followers.pop(account, None)
            account.followed = False

    def news(self) -> Iterator[tuple[str, tuple[Follower, ...]]]:
        """Yield the frames about what has happened since the last call, each with the connection it is for."""
        reports = self.exchange.take_reports()
        if reports:
            self.look()
        for account, report in reports:
            told = Told(account, report)
            for follower in tuple(self._followers.get(account, ())):
                for frame in follower.tell(told):
                    yield frame, (follower,)

    @staticmethod
    def rate_threshold(account: Account) -> int:
        """Return the threshold of an account's trading counters; an account without them is told the highest tier's."""
        return int(TIERS["pro"].trading.threshold) if account.pace is None else account.pace.max_rate_count

    def open_orders(self, account: Account) -> list[Execution]:
        """Return the open orders of an account as a snapshot shows them, oldest first."""
        return [self.exchange.reports.snapshot(order) for order in account.open_orders.values()]

    def last_fills(self, account: Account, count: int = VENUE_FILLS_SHOWN) -> list[Execution]:
        """Return the latest fills of an account, newest first; each with what became of its order."""
        reports = self.exchange.reports
        fills = account.fills.newest(count)
        return [reports.fill(fill, status_of(fill.order), fill.time_ns, cumulative=False) for fill in fills]

    def balances(self, account: Account) -> Balances:
        """Return what an account has, asset by asset."""
        decimals = self.exchange.ledger.decimals
        rows = []
        for asset in decimals:
            units = account.balances.get(asset)
            if units is not None:
                amount = scaled_to_decimal(units, decimals[asset])
                wallets = (Wallet(type="spot", id="main", balance=amount),)
                rows.append(WalletBalance(asset=asset, balance=amount, wallets=wallets))
        return Balances(balances=tuple(rows), sequence=0)


def answers_due(request: TradingRequest) -> int:
    """Return how many answers a request has: a cancellation one for each id, everything else one."""
    if not isinstance(request, CancelOrders):
        return 1
    return len(request.order_ids) + len(request.cl_ord_ids) + len(request.order_userrefs)


def _pair_texts(instrument: VenueInstrument) -> PairTexts:
    return PairTexts(
        rest_key=instrument.rest_key,
        altname=instrument.altname,
        wsname=instrument.wsname,
        price_decimals=instrument.price_precision,
        cost_decimals=instrument.cost_precision,
        v1_decimals=instrument.v1_price_decimals,
    )
