"""Answers private REST calls: whose key, whether it may, what its account asks for or is shown.

Every mistake of a caller is an answer with a documented error text, never an
exception. Source: v2 reference, sections 4 and 11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from krakenwire.errors import JournalError
from krakenwire.model import AssetBalance, Edited, KeyInfo
from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.protocol import rest, rest_entries
from krakenwire.protocol.flat_values import Declined, flag
from krakenwire.protocol.rest import Json
from krakenwire.protocol.rest_body import items, parameters
from krakenwire.protocol.rest_sign import SignedCall
from krakenwire.protocol.rest_trading import REST_TRADING, rest_answer, rest_edited, rest_request
from krakenwire.venue.access.keys import ApiKey, Keyring
from krakenwire.venue.access.pace import AccountLimits, RestPace
from krakenwire.venue.access.permissions import REST_NEEDS, permission_refusal
from krakenwire.venue.access.tokens import Tokens
from krakenwire.venue.front import Front
from krakenwire.venue.gateways import account_pages
from krakenwire.venue.gateways.describing import described
from krakenwire.venue.gateways.position_entries import open_positions, trade_balance, trade_volume
from krakenwire.venue.market.instruments import VenueAsset
from krakenwire.venue.trading import Account, AccountOrder, Fill, LedgerEntry
from krakenwire.venue.trading.history import History

__all__ = ["PrivateRest"]

_PREFIX: Final = "/0/private/"
_ASKED_MAX: Final = 50
"""Ids of one query."""

_UNKNOWN_ORDER: Final = "EOrder:Unknown order"

Params = Mapping[str, str]
_RowT = TypeVar("_RowT", Fill, LedgerEntry)


class PrivateRest:
    """The private REST calls of one venue.

    Args:
        front: where accounts are.
        keyring: who may call.
        tokens: what `GetWebSocketsToken` hands out.
        assets: every asset an account can have.
        limits: how fast each account may ask, by its name; who is not there may ask as fast as it likes.
        since_ns: when its keys were made.
    """

    def __init__(
        self,
        front: Front,
        keyring: Keyring,
        tokens: Tokens,
        assets: tuple[VenueAsset, ...],
        limits: Mapping[str, AccountLimits],
        since_ns: int,
    ) -> None:
        self._since_ns = since_ns
        self._front, self._keyring, self._tokens, self._limits = front, keyring, tokens, limits
        self._assets = {name: asset.id for asset in assets for name in (asset.id, asset.altname, asset.rest_id)}
        self._paces: dict[str, RestPace] = {}
        self._shown: dict[str, Callable[[Account, Params], Json]] = {
            "Balance": lambda account, _: rest_entries.balance_result(self._balances(account)),
            "BalanceEx": lambda account, _: rest_entries.balance_ex_result(self._balances(account)),
            "ClosedOrders": self._closed_orders,
            "Ledgers": self._ledgers,
            "OpenOrders": self._open_orders,
            "OpenPositions": lambda account, params: open_positions(self._front, account, params),
            "OrderAmends": self._order_amends,
            "QueryLedgers": self._query_ledgers,
            "QueryOrders": self._query_orders,
            "QueryTrades": self._query_trades,
            "TradeBalance": lambda account, _: trade_balance(self._front, account),
            "TradesHistory": self._trades_history,
        }

    def answer(self, call: SignedCall, now_ns: int) -> str:
        """Return the JSON text that answers one call.

        What cannot be written down is not done: the venue is unavailable.
        """
        try:
            return self._answer(call, now_ns)
        except JournalError:
            return rest.error_text(rest.UNAVAILABLE)

    def _answer(self, call: SignedCall, now_ns: int) -> str:
        key = self._keyring.check(
            call.path,
            api_key=call.api_key,
            api_sign=call.api_sign,
            body=call.body,
            content_type=call.content_type,
            peer=call.peer,
            now_ns=now_ns,
        )
        if isinstance(key, str):
            return rest.error_text(key)
        method, account = call.path.removeprefix(_PREFIX), self._front.exchange.ledger.account(key.account)
        if method not in REST_NEEDS or account is None:
            return rest.error_text(rest.UNKNOWN_METHOD)
        refusal = permission_refusal(key.permissions, REST_NEEDS[method]) or self._pace(key).refusal(method, now_ns)
        if refusal is not None:
            return rest.error_text(refusal)
        try:
            return rest.result_text(self._result(method, account, key, parameters(call.body), now_ns))
        except Declined as declined:
            return rest.error_text(str(declined))

    def _result(self, method: str, account: Account, key: ApiKey, params: Params, now_ns: int) -> Json:
        if method == "GetWebSocketsToken":
            return {"token": self._tokens.issue(key, now_ns).reveal(), "expires": self._tokens.lifetime_s}
        if method == "GetApiKeyInfo":
            return self._key_info(key, now_ns)
        if method in REST_TRADING:
            return self._trade(method, account, params, now_ns)
        self._front.look()
        if method == "TradeVolume":
            return trade_volume(self._front, account, params, now_ns)
        return self._shown[method](account, params)

    def _key_info(self, key: ApiKey, now_ns: int) -> Json:
        info = KeyInfo(
            name=key.account,
            permissions=key.permissions,
            nonce_window=key.nonce_window,
            created_ns=self._since_ns,
            modified_ns=self._since_ns,
            last_used_ns=now_ns,
        )
        return rest_entries.key_info_result(info, key.key, self._keyring.highest_nonce(key.key))

    def _pace(self, key: ApiKey) -> RestPace:
        pace = self._paces.get(key.key)
        if pace is None:
            limits = self._limits.get(key.account) if key.rate_limited else None
            pace = self._paces[key.key] = RestPace(None if limits is None else limits.rest)
        return pace

    # -- orders -----------------------------------------------------------------------

    def _trade(self, method: str, account: Account, params: Params, now_ns: int) -> Json:
        request = rest_request(method, params, now_ns)
        answers = [
            described(answer, request, account, self._front) for answer in self._front.ask(account, request, now_ns)
        ]
        edited = answers[0]
        if isinstance(edited, Edited) and edited.order_id:
            order = account.orders_seen[edited.order_id]
            return rest_edited(edited, self._front.records.order(order), self._front.pairs[order.symbol])
        return rest_answer(answers)

    def _open_orders(self, account: Account, params: Params) -> Json:
        orders = account_pages.open_orders(account, params)
        return rest_entries.open_orders_result(self._records(orders), trades=flag(params, "trades"))

    def _closed_orders(self, account: Account, params: Params) -> Json:
        orders = account_pages.closed_orders(account, params)
        shown = self._records(account_pages.page(orders, params))
        return rest_entries.closed_orders_result(shown, len(orders), trades=flag(params, "trades"))

    def _query_orders(self, account: Account, params: Params) -> Json:
        orders = [self._order(account, order_id) for order_id in _asked(params, "txid")]
        return rest_entries.query_orders_result(self._records(orders), trades=flag(params, "trades"))

    def _order_amends(self, account: Account, params: Params) -> Json:
        order = self._order(account, params.get("order_id", ""))
        return rest_entries.amends_result(self._front.records.amends(order), self._front.pairs[order.symbol])

    @staticmethod
    def _order(account: Account, order_id: str) -> AccountOrder:
        order = account.orders_seen.get(order_id)
        if order is None:
            raise Declined(_UNKNOWN_ORDER)
        return order

    def _records(self, orders: Iterable[AccountOrder]) -> rest_entries.Orders:
        return [(self._front.records.order(order), self._front.pairs[order.symbol]) for order in orders]

    # -- fills, entries, balances ---------------------------------------------------------

    def _trades_history(self, account: Account, params: Params) -> Json:
        fills = account_pages.fills(account, params)
        shown = self._trade_records(account_pages.page(fills, params), params)
        return rest_entries.trades_result(shown, len(fills), ledgers=flag(params, "ledgers"))

    def _query_trades(self, account: Account, params: Params) -> Json:
        wanted = set(map(self._front.records.fill_number, _asked(params, "txid")))
        fills = _found(account.fills, wanted)
        if len(fills) < len(wanted):
            raise Declined("EOrder:Invalid order")
        return rest_entries.query_trades_result(self._trade_records(fills, params), ledgers=flag(params, "ledgers"))

    def _trade_records(self, fills: Iterable[Fill], params: Params) -> rest_entries.Trades:
        records, pairs, entries = self._front.records, self._front.pairs, flag(params, "ledgers")
        return [(records.trade(fill, entries=entries), pairs[fill.order.symbol]) for fill in fills]

    def _ledgers(self, account: Account, params: Params) -> Json:
        found = account_pages.entries(account, params, self._asked_assets(params))
        shown = account_pages.page(found, params)
        return rest_entries.ledgers_result(map(self._front.records.entry, shown), len(found))

    def _query_ledgers(self, account: Account, params: Params) -> Json:
        wanted = set(map(self._front.records.entry_number, _asked(params, "id")))
        return rest_entries.query_ledgers_result(map(self._front.records.entry, _found(account.entries, wanted)))

    def _asked_assets(self, params: Params) -> list[str] | None:
        names = [name.strip().upper() for name in items(params, "asset")]
        if not names or names == ["ALL"]:
            return None
        unknown = [name for name in names if name not in self._assets]
        if unknown:
            raise Declined(rest.UNKNOWN_ASSET)
        return [self._assets[name] for name in names]

    def _balances(self, account: Account) -> list[AssetBalance]:
        decimals = self._front.exchange.ledger.decimals
        return [
            AssetBalance(
                asset=asset,
                balance=scaled_to_decimal(account.balances[asset], decimals[asset]),
                held=scaled_to_decimal(account.holds.get(asset, 0), decimals[asset]),
            )
            for asset in decimals
            if asset in account.balances
        ]


def _found(history: History[_RowT], numbers: Iterable[int | None]) -> list[_RowT]:
    """The rows of some numbers, oldest first; None and what is not kept are left out."""
    rows = map(history.find, sorted(number for number in numbers if number is not None))
    return [row for row in rows if row is not None]


def _asked(params: Params, name: str) -> tuple[str, ...]:
    """The ids of a query."""
    ids = items(params, name)
    if not 1 <= len(ids) <= _ASKED_MAX:
        raise Declined(f"{rest.INVALID_ARGUMENTS}:{name}")
    return ids
