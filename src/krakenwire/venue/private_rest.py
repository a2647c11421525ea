"""Answers private REST calls: whose key, whether it may, and what its account is told.

Every mistake of a caller is an answer with a documented error text, never an
exception. Source: v2 reference, sections 4 and 11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from krakenwire.model.numbers import fixed_text
from krakenwire.protocol import rest
from krakenwire.protocol.rest import Json
from krakenwire.protocol.rest_sign import SignedCall
from krakenwire.venue.front import Front
from krakenwire.venue.instruments import VenueAsset
from krakenwire.venue.keys import ApiKey, Keyring
from krakenwire.venue.pace import AccountLimits, RestPace
from krakenwire.venue.permissions import REST_NEEDS, permission_refusal
from krakenwire.venue.tokens import Tokens
from krakenwire.venue.trading import Account
from krakenwire.venue.trading.margin import Margin, MarginFigures

__all__ = ["PrivateRest"]

Members = Mapping[str, object]

_PREFIX: Final = "/0/private/"


class PrivateRest:
    """The private REST calls of one venue.

    Args:
        front: where accounts are.
        keyring: who may call.
        tokens: what `GetWebSocketsToken` hands out.
        assets: every asset an account can have.
        limits: how fast each account may ask, by its name; who is not there may ask as fast as it likes.
    """

    def __init__(
        self,
        front: Front,
        keyring: Keyring,
        tokens: Tokens,
        assets: tuple[VenueAsset, ...],
        limits: Mapping[str, AccountLimits],
    ) -> None:
        self._front, self._keyring, self._tokens, self._limits = front, keyring, tokens, limits
        self._assets = {asset.id: asset for asset in assets}
        self._paces: dict[str, RestPace] = {}
        self._methods: dict[str, Callable[[Account, ApiKey, Members, int], Json]] = {
            "Balance": self._balance,
            "BalanceEx": self._balance_ex,
            "GetWebSocketsToken": self._token,
            "TradeBalance": self._trade_balance,
        }

    def answer(self, call: SignedCall, now_ns: int) -> str:
        """Return the JSON text that answers one call."""
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
        method = call.path.removeprefix(_PREFIX)
        answer, account = self._methods.get(method), self._front.exchange.ledger.account(key.account)
        if answer is None or account is None:
            return rest.error_text(rest.UNKNOWN_METHOD)
        refusal = permission_refusal(REST_NEEDS[method], key.permissions) or self._pace(key).refusal(method, now_ns)
        if refusal is not None:
            return rest.error_text(refusal)
        self._front.look()
        return rest.result_text(answer(account, key, call.members, now_ns))

    def _pace(self, key: ApiKey) -> RestPace:
        pace = self._paces.get(key.key)
        if pace is None:
            limits = self._limits.get(key.account) if key.rate_limited else None
            pace = self._paces[key.key] = RestPace(None if limits is None else limits.rest)
        return pace

    # -- the calls ----------------------------------------------------------------

    def _token(self, _: Account, key: ApiKey, __: Members, now_ns: int) -> Json:
        return {"token": self._tokens.issue(key, now_ns).reveal(), "expires": self._tokens.lifetime_s}

    def _balance(self, account: Account, _: ApiKey, __: Members, ___: int) -> Json:
        return {
            asset.rest_id: fixed_text(account.balances[name], asset.decimals)
            for name, asset in self._assets.items()
            if name in account.balances
        }

    def _balance_ex(self, account: Account, _: ApiKey, __: Members, ___: int) -> Json:
        return {
            asset.rest_id: {
                "balance": fixed_text(account.balances[name], asset.decimals),
                "hold_trade": fixed_text(account.holds.get(name, 0), asset.decimals),
            }
            for name, asset in self._assets.items()
            if name in account.balances
        }

    def _trade_balance(self, account: Account, _: ApiKey, __: Members, ___: int) -> Json:
        figures = self._front.exchange.margin.figures(account)
        return {name: _figure(value) for name, value in _trade_balance(figures).items() if value is not None}


def _trade_balance(figures: MarginFigures) -> dict[str, Decimal | None]:
    return {
        "eb": figures.equivalent,
        "tb": figures.balance,
        "m": figures.used,
        "uv": figures.pending,
        "n": figures.net,
        "c": figures.cost,
        "v": figures.value,
        "e": figures.equity,
        "mf": figures.free,
        "ml": figures.level,
    }


def _figure(value: Decimal) -> str:
    return f"{Margin.rounded(value):f}"
