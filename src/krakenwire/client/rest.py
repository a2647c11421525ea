"""An account over REST: orders, what has become of them, balances, margin, and the token for WebSocket.

Every call is one method with typed arguments and a typed result. How calls are
made is in `rest_calls`, what their answers say in `krakenwire.protocol`.
Source: v2 reference, sections 4.1 and 11.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from os import PathLike
from typing import Final, Literal, TypeVar

from krakenwire import limits
from krakenwire.client.credentials import Credentials
from krakenwire.client.environments import Addresses, Environment
from krakenwire.client.permissions import check_permissions
from krakenwire.client.rest_calls import RestCalls
from krakenwire.errors import AnswerLost, ProtocolViolation, VenueRefusal
from krakenwire.model import (
    AmendRecord,
    AssetBalance,
    Instrument,
    KeyInfo,
    LedgerRecord,
    OrderRecord,
    PositionRecord,
    TradeBalance,
    TradeRecord,
    TradeVolume,
    TradingReply,
    TradingRequest,
    WebSocketToken,
)
from krakenwire.protocol import rest_figures, rest_records
from krakenwire.protocol.flat_writing import pair_text
from krakenwire.protocol.rest_client import rest_call, rest_reply
from krakenwire.protocol.rest_instruments import read_instruments
from krakenwire.protocol.rest_records import Page
from krakenwire.protocol.symbols import rest_asset

__all__ = ["RestClient", "check_permissions"]

_RecordT = TypeVar("_RecordT", OrderRecord, TradeRecord, LedgerRecord)
_RowT = TypeVar("_RowT")

_SECOND: Final = 1_000_000_000
_ORDERS_ASKED: Final = 50
_RECORDS_ASKED: Final = 20
"""Ids of one query: of orders, and of fills or ledger entries."""

_NOTHING: Final[Mapping[str, str]] = {}
_EACH_FILL: Final = {"consolidate_taker": "false"}
"""Unless told not to, the service merges the fills of a taking order into one of their average price; the streams
tell each, and a fill is to have one id everywhere."""


class RestClient(RestCalls):
    """One account, or only the public calls without credentials. Any thread may call.

    Args:
        on: an environment, as a client takes it, an address, or several.
        credentials: for private calls.
        ca_file: PEM file of certificates to trust besides the system's.
        insecure: do not check the certificate; addresses of this machine only.
        timeout_s: for one call to connect, again for its answer, and to wait for its turn before.
        pause: waits before a page of a history is asked for again that came too soon; seconds.
    """

    def __init__(
        self,
        on: Environment | Addresses | str,
        credentials: Credentials | None = None,
        *,
        ca_file: str | PathLike[str] | None = None,
        insecure: bool = False,
        timeout_s: float = limits.REST_TIMEOUT_S,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(on, credentials, ca_file=ca_file, insecure=insecure, timeout_s=timeout_s)
        self._pause = pause

    # -- the key -----------------------------------------------------------------

    def websocket_token(self) -> WebSocketToken:
        """Return a new token for private requests over WebSocket."""
        return self._read("GetWebSocketsToken", {}, rest_figures.read_websocket_token)

    def key_info(self) -> KeyInfo:
        """Return what the API key may do; it needs no permission for that."""
        return self._read("GetApiKeyInfo", {}, rest_figures.read_key_info)

    # -- what can be traded --------------------------------------------------------

    def instruments(self) -> Mapping[str, Instrument]:
        """Return every instrument by its v2 symbol."""
        with self._told("AssetPairs"):
            return read_instruments(self._public("AssetPairs", {}))

    # -- orders ------------------------------------------------------------------

    def send_order(self, request: TradingRequest) -> TradingReply:
        """Send a request about orders, once.

        Returns:
            The venue's reply; a refusal is one too.

        Raises:
            UsageError: REST cannot say it; nothing was sent.
            ConnectError, TlsError, HttpRefusal, WaitTimeout: nothing was carried out.
            AnswerLost: it may have been carried out.
        """
        method, params = rest_call(request)
        try:
            return rest_reply(request, self.call(method, params))
        except ProtocolViolation as violation:
            raise AnswerLost(method, "what came back is no answer of the service") from violation

    def open_orders(
        self, *, userref: int | None = None, cl_ord_id: str | None = None, trades: bool = False
    ) -> tuple[OrderRecord, ...]:
        """Return the open orders, newest first.

        Args:
            userref: only those that have it.
            cl_ord_id: only that which has it.
            trades: tell the fills of each.
        """
        params = _named(userref, cl_ord_id) | _flag("trades", trades)
        return self._read("OpenOrders", params, rest_records.read_open_orders)

    def query_orders(self, order_ids: Sequence[str], *, trades: bool = False) -> tuple[OrderRecord, ...]:
        """Return some orders, whatever has become of them; 50 ids a call.

        Raises:
            VenueRefusal: one of them is unknown.
        """
        return self._query(
            "QueryOrders", "txid", order_ids, _ORDERS_ASKED, rest_records.read_query_orders, _fills(trades)
        )

    def order_amends(self, order_id: str) -> tuple[AmendRecord, ...]:
        """Return the terms of an order as placed and after each amendment, oldest first."""
        return self._read("OrderAmends", {"order_id": order_id}, rest_figures.read_order_amends)

    def closed_orders(
        self,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        ofs: int = 0,
        closetime: Literal["open", "close", "both"] = "both",
        userref: int | None = None,
        cl_ord_id: str | None = None,
        trades: bool = False,
    ) -> Page[OrderRecord]:
        """Return a page of orders that have ended, newest first.

        Args:
            start_ns: from then on; in whole seconds, rather more than less.
            end_ns: up to then; so too.
            ofs: how many newer ones to leave out.
            closetime: which of an order's times counts.
            userref: only those that have it.
            cl_ord_id: only that which has it.
            trades: tell the fills of each.
        """
        params = _span(start_ns, end_ns, ofs) | {"closetime": closetime} | _named(userref, cl_ord_id)
        return self._read("ClosedOrders", params | _fills(trades), rest_records.read_closed_orders)

    def all_closed_orders(self, *, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[OrderRecord]:
        """Iterate over the orders that have ended, newest first; each page is a call, and waits if it came too soon."""
        return self._records(
            lambda ofs: self.closed_orders(start_ns=start_ns, end_ns=end_ns, ofs=ofs), lambda record: record.order_id
        )

    # -- fills and ledger --------------------------------------------------------

    def trades_history(
        self, *, start_ns: int | None = None, end_ns: int | None = None, ofs: int = 0, ledgers: bool = False
    ) -> Page[TradeRecord]:
        """Return a page of fills, newest first; `ledgers` tells the entries of each. See `closed_orders`."""
        params = _span(start_ns, end_ns, ofs) | _flag("ledgers", ledgers) | _EACH_FILL
        return self._read("TradesHistory", params, rest_records.read_trades_history)

    def all_trades(self, *, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[TradeRecord]:
        """Iterate over the fills, newest first. See `all_closed_orders`."""
        return self._records(
            lambda ofs: self.trades_history(start_ns=start_ns, end_ns=end_ns, ofs=ofs), lambda record: record.exec_id
        )

    def query_trades(self, exec_ids: Sequence[str]) -> tuple[TradeRecord, ...]:
        """Return some fills; 20 ids a call."""
        return self._query("QueryTrades", "txid", exec_ids, _RECORDS_ASKED, rest_records.read_query_trades)

    def ledgers(
        self,
        *,
        assets: Collection[str] = (),
        kind: str = "all",
        start_ns: int | None = None,
        end_ns: int | None = None,
        ofs: int = 0,
    ) -> Page[LedgerRecord]:
        """Return a page of ledger entries, newest first.

        Args:
            assets: v2 names; empty for all.
            kind: such as ``trade`` or ``deposit``.
            start_ns: see `closed_orders`.
            end_ns: so too.
            ofs: how many newer ones to leave out.
        """
        params = _span(start_ns, end_ns, ofs) | {"type": kind}
        if assets:
            params["asset"] = ",".join(rest_asset(asset) for asset in assets)
        return self._read("Ledgers", params, rest_records.read_ledgers)

    def all_ledgers(
        self,
        *,
        assets: Collection[str] = (),
        kind: str = "all",
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[LedgerRecord]:
        """Iterate over the ledger entries, newest first. See `all_closed_orders`."""
        return self._records(
            lambda ofs: self.ledgers(assets=assets, kind=kind, start_ns=start_ns, end_ns=end_ns, ofs=ofs),
            lambda record: record.ledger_id,
        )

    def query_ledgers(self, ledger_ids: Sequence[str]) -> tuple[LedgerRecord, ...]:
        """Return some ledger entries; 20 ids a call."""
        return self._query("QueryLedgers", "id", ledger_ids, _RECORDS_ASKED, rest_records.read_query_ledgers)

    # -- money -------------------------------------------------------------------

    def balances(self) -> Mapping[str, Decimal]:
        """Return what is owned of each asset, by v2 name."""
        found = self._read("Balance", {}, rest_records.read_balance)
        return {balance.asset: balance.balance for balance in found}

    def balances_ex(self) -> tuple[AssetBalance, ...]:
        """Return what is owned of each asset, and how much of that open orders hold."""
        return self._read("BalanceEx", {}, rest_records.read_balance_ex)

    def trade_balance(self, asset: str = "USD") -> TradeBalance:
        """Return the margin of the account, counted in an asset."""
        return self._read("TradeBalance", {"asset": rest_asset(asset)}, rest_figures.read_trade_balance)

    def open_positions(self, position_ids: Collection[str] = (), *, worth: bool = False) -> tuple[PositionRecord, ...]:
        """Return the open positions, or some of them; `worth` tells what each is worth."""
        params = _flag("docalcs", worth) | ({"txid": ",".join(position_ids)} if position_ids else {})
        return self._read("OpenPositions", params, rest_figures.read_open_positions)

    def trade_volume(self, *symbols: str) -> TradeVolume:
        """Return what was traded in thirty days, with the fees of some symbols."""
        params = {"pair": ",".join(map(pair_text, symbols))} if symbols else {}
        return self._read("TradeVolume", params, rest_figures.read_trade_volume)

    # -- lists -------------------------------------------------------------------

    def _query(
        self,
        method: str,
        name: str,
        ids: Sequence[str],
        most: int,
        reader: Callable[[bytes], tuple[_RowT, ...]],
        more: Mapping[str, str] = _NOTHING,
    ) -> tuple[_RowT, ...]:
        found: list[_RowT] = []
        for start in range(0, len(ids), most):
            params = {name: ",".join(ids[start : start + most]), **more}
            found.extend(self._read(method, params, reader))
        return tuple(found)

    def _records(self, ask: Callable[[int], Page[_RecordT]], name: Callable[[_RecordT], str]) -> Iterator[_RecordT]:
        """The records of all pages, each once: what is new at the front moves older ones onto the next page again."""
        seen: set[str] = set()
        ofs = 0
        while True:
            page = self._patiently(ask, ofs)
            fresh = [record for record in page.records if name(record) not in seen]
            seen.update(map(name, fresh))
            yield from fresh
            ofs += len(page.records)
            if not page.records or (not fresh if page.count is None else ofs >= page.count):
                return

    def _patiently(self, ask: Callable[[int], Page[_RecordT]], ofs: int) -> Page[_RecordT]:
        """Ask for a page, again and again while it comes too soon: reading twice harms nobody."""
        for _ in range(limits.REST_RATE_PAUSES_MAX):
            try:
                return ask(ofs)
            except VenueRefusal as refusal:
                if refusal.error != "EAPI:Rate limit exceeded":
                    raise
            self._pause(limits.REST_RATE_PAUSE_S)
        return ask(ofs)


def _span(start_ns: int | None, end_ns: int | None, ofs: int) -> dict[str, str]:
    params = {} if start_ns is None else {"start": str((start_ns - 1) // _SECOND)}  # the venue leaves the start out
    if end_ns is not None:
        params["end"] = str(-(-end_ns // _SECOND))
    return params | ({"ofs": str(ofs)} if ofs else {})


def _named(userref: int | None, cl_ord_id: str | None) -> dict[str, str]:
    params = {} if userref is None else {"userref": str(userref)}
    return params | ({} if cl_ord_id is None else {"cl_ord_id": cl_ord_id})


def _flag(name: str, wanted: bool) -> dict[str, str]:
    return {name: "true"} if wanted else {}


def _fills(wanted: bool) -> dict[str, str]:
    return _flag("trades", wanted) | (_EACH_FILL if wanted else {})
