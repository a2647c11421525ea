"""Signed calls: whose they are, why they are refused, and what a refused one leaves untouched."""

from __future__ import annotations

import base64
import json
import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.errors import ConfigError
from krakenwire.model.rates import RateLimit
from krakenwire.model.secrets import Secret
from krakenwire.protocol.rest_sign import sign
from krakenwire.venue.access.keys import ApiKey, Keyring, Nonces
from krakenwire.venue.access.pace import BanRule
from krakenwire.venue.access.permissions import (
    ALL_PERMISSIONS,
    CHANNEL_NEEDS,
    METHOD_NEEDS,
    REST_NEEDS,
    Permission,
    permission_refusal,
)

SECOND = 1_000_000_000
START_NS = 1_800_000_000 * SECOND
PATH = "/0/private/Balance"
CANARY = base64.b64encode(b"a secret that must never be seen in any text at all").decode()
OTHER = base64.b64encode(b"the secret of somebody else").decode()
FORM = "application/x-www-form-urlencoded"


def api_key(text: str = "public", secret: str = CANARY, **settings: object) -> ApiKey:
    return ApiKey(key=text, secret=Secret(secret), account="alice", **settings)  # type: ignore[arg-type]


class Caller:
    """Signs calls as a client does, and asks one keyring."""

    def __init__(self, *keys: ApiKey, lockout: BanRule | None = None) -> None:
        self.ring = Keyring(keys or (api_key(),), lockout)

    def call(
        self,
        nonce: object,
        *,
        key: str | None = "public",
        secret: str = CANARY,
        sign_header: str | None = "",
        body: bytes | None = None,
        path: str = PATH,
        content_type: str = FORM,
        peer: str = "127.0.0.1",
        now_ns: int = START_NS,
    ) -> str:
        """The account that is let in, or the refusal."""
        body = f"nonce={nonce}".encode() if body is None else body
        if sign_header == "":
            sign_header = sign(PATH, str(nonce), body, secret)
        found = self.ring.check(
            path,
            api_key=key,
            api_sign=sign_header,
            body=body,
            content_type=content_type,
            peer=peer,
            now_ns=now_ns,
        )
        return found if isinstance(found, str) else found.account


def test_call_signed_with_a_key_is_that_of_its_account() -> None:
    assert Caller().call(1) == "alice"


@pytest.mark.parametrize("nonce", ["17", 17])
def test_json_body_is_verified_as_it_was_sent(nonce: object) -> None:
    body = json.dumps({"asset": "ключ", "nonce": nonce}, indent=1, ensure_ascii=False).encode()
    assert Caller().call(nonce, body=body, content_type="application/json") == "alice"


@pytest.mark.parametrize("key", [None, "", "Public", "public ", "pub\udcfflic", "x" * 100_000])
def test_unknown_key_is_refused(key: str | None) -> None:
    assert Caller().call(1, key=key) == "EAPI:Invalid key"


@pytest.mark.parametrize("header", [None, "?", "AAAA", "\udcff", "é", CANARY, "A" * 100_000])
def test_wrong_signature_is_refused(header: str | None) -> None:
    assert Caller().call(1, sign_header=header) == "EAPI:Invalid signature"


def test_signature_of_another_secret_path_nonce_or_body_is_refused() -> None:
    caller = Caller()
    good = sign(PATH, "5", b"nonce=5", CANARY)
    assert caller.call(5, secret=OTHER) == "EAPI:Invalid signature"
    assert caller.call(5, path="/0/private/AddOrder") == "EAPI:Invalid signature"
    assert caller.call(6, sign_header=good) == "EAPI:Invalid signature"
    assert caller.call(5, sign_header=good, body=b"nonce=5&") == "EAPI:Invalid signature"
    assert caller.call(5, sign_header=good.rstrip("=")) == "EAPI:Invalid signature"
    assert caller.call(5, sign_header=good) == "alice"


def test_wrong_signature_uses_no_nonce_up() -> None:
    caller = Caller()
    assert caller.call(9, secret=OTHER) == "EAPI:Invalid signature"
    assert caller.call((1 << 64) - 1, secret=OTHER) == "EAPI:Invalid signature"
    assert caller.call(9) == "alice"


def test_nonce_must_rise() -> None:
    caller = Caller()
    assert [caller.call(nonce) for nonce in (5, 5, 4, 6)] == ["alice", "EAPI:Invalid nonce"] * 1 + [
        "EAPI:Invalid nonce",
        "alice",
    ]


def test_leading_zeros_make_no_new_nonce() -> None:
    caller = Caller()
    assert caller.call(5) == "alice"
    assert caller.call("005") == "EAPI:Invalid nonce"


@pytest.mark.parametrize("body", [b"", b"pair=XBTUSD", b"nonce=x", b"nonce=18446744073709551616", b"{"])
def test_body_without_a_nonce_is_refused(body: bytes) -> None:
    assert Caller().call("", body=body) == "EAPI:Invalid nonce"


def test_window_lets_a_late_nonce_in_once() -> None:
    caller = Caller(api_key(nonce_window=10))
    assert [caller.call(nonce) for nonce in (100, 90, 95, 95, 89)] == [
        "alice",
        "alice",
        "alice",
        "EAPI:Invalid nonce",
        "EAPI:Invalid nonce",
    ]


def test_each_key_has_nonces_of_its_own() -> None:
    caller = Caller(api_key(), api_key("second", OTHER))
    assert caller.call(1_000) == "alice"
    assert caller.call(1, key="second", secret=OTHER) == "alice"


NONCES = st.lists(st.one_of(st.integers(0, 40), st.integers(0, (1 << 64) - 1)), max_size=60)


@given(NONCES, st.sampled_from([0, 1, 5, 30, (1 << 64) - 1]))
def test_nonces_are_taken_as_the_rule_says(offered: list[int], window: int) -> None:
    nonces, used = Nonces(window), set[int]()
    for nonce in offered:
        allowed = nonce not in used and (not used or nonce >= max(used) - window)
        assert nonces.take(nonce) == allowed
        if allowed:
            used.add(nonce)


@given(NONCES, st.integers(0, 40), st.integers(1, 8))
def test_no_nonce_is_taken_twice_however_little_is_remembered(offered: list[int], window: int, kept: int) -> None:
    nonces = Nonces(window, kept_max=kept)
    taken = [nonce for nonce in offered if nonces.take(nonce)]
    assert len(set(taken)) == len(taken)
    assert len(nonces) <= kept
    assert not taken or nonces.take(max(taken) + 1)


def test_memory_of_a_wide_window_is_bounded() -> None:
    nonces = Nonces((1 << 64) - 1, kept_max=100)
    assert all(nonces.take(nonce) for nonce in range(1_000))
    assert len(nonces) == 100
    assert not nonces.take(899)


# -- lockout --------------------------------------------------------------------

THREE = BanRule(RateLimit(Decimal(3), Decimal(0)), 60 * SECOND)


def test_too_many_unknown_keys_lock_an_address_out_for_a_while() -> None:
    caller = Caller(lockout=THREE)
    refusals = [caller.call(1, key="unknown") for _ in range(5)]
    assert refusals == ["EAPI:Invalid key"] * 3 + ["EGeneral:Temporary lockout"] * 2
    assert caller.call(1, key="unknown", peer="127.0.0.2") == "EAPI:Invalid key"
    later_ns = START_NS + 60 * SECOND
    assert caller.call(1, key="unknown", now_ns=later_ns - 1) == "EGeneral:Temporary lockout"
    assert caller.call(1, key="unknown", now_ns=later_ns) == "EAPI:Invalid key"


def test_wrong_signatures_count_too() -> None:
    caller = Caller(lockout=THREE)
    assert [caller.call(1, secret=OTHER) for _ in range(4)][-1] == "EGeneral:Temporary lockout"


def test_lockout_of_an_address_hurts_nobody_who_signs_rightly() -> None:
    caller = Caller(lockout=THREE)
    for _ in range(10):
        caller.call(1, key="unknown")
    assert caller.call(1) == "alice"


def test_too_many_used_nonces_lock_their_own_key_out() -> None:
    caller = Caller(api_key(), api_key("second", OTHER), lockout=THREE)
    assert caller.call(7) == "alice"
    assert [caller.call(7) for _ in range(4)] == ["EAPI:Invalid nonce"] * 3 + ["EGeneral:Temporary lockout"]
    assert caller.call(8) == "EGeneral:Temporary lockout"
    assert caller.call(8, key="second", secret=OTHER) == "alice"
    assert caller.call(8, now_ns=START_NS + 60 * SECOND) == "alice"


def test_key_without_limits_is_never_locked_out() -> None:
    caller = Caller(api_key(rate_limited=False), lockout=THREE)
    caller.call(7)
    assert {caller.call(7) for _ in range(9)} == {"EAPI:Invalid nonce"}


def test_lockouts_are_lifted_on_demand() -> None:
    caller = Caller(lockout=THREE)
    for _ in range(9):
        caller.call(1, key="unknown")
    caller.ring.lift_lockouts()
    assert caller.call(1, key="unknown") == "EAPI:Invalid key"


def test_without_a_rule_nobody_is_locked_out() -> None:
    caller = Caller(lockout=None)
    assert {caller.call(1, key="unknown") for _ in range(100)} == {"EAPI:Invalid key"}


# -- the ring ---------------------------------------------------------------------


def test_keys_come_and_go() -> None:
    caller = Caller()
    caller.ring.add(api_key("second", OTHER))
    assert [key.key for key in caller.ring.keys] == ["public", "second"]
    caller.ring.remove("public")
    caller.ring.remove("public")
    assert caller.call(1) == "EAPI:Invalid key"
    assert caller.ring.key("second") is not None


def test_two_keys_with_one_text_are_refused() -> None:
    with pytest.raises(ConfigError, match="API key"):
        Keyring([api_key(), api_key()])


def test_key_whose_secret_is_not_base64_is_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        Keyring([api_key(secret="plain words!")])
    assert "plain words!" not in str(refused.value)


def test_secret_is_in_no_text() -> None:
    key = api_key()
    ring = Keyring([key])
    texts = [repr(key), str(key), f"{key}", repr(ring), str(ring), f"{key.secret:>50}", repr(vars(ring))]
    caller = Caller(key, lockout=THREE)
    texts += [caller.call(1), caller.call(1), caller.call(2, secret=OTHER), caller.call(3, key=None)]
    assert not any(CANARY in text for text in texts)
    with pytest.raises(TypeError):
        pickle.dumps(key)


# -- permissions --------------------------------------------------------------------

HOLDERS = [
    (REST_NEEDS, "Balance", {"query_funds"}),
    (REST_NEEDS, "BalanceEx", {"query_funds"}),
    (REST_NEEDS, "TradeBalance", {"query_funds", "query_open_orders"}),
    (REST_NEEDS, "TradeVolume", {"query_funds"}),
    (REST_NEEDS, "OpenOrders", {"query_open_orders"}),
    (REST_NEEDS, "OpenPositions", {"query_open_orders"}),
    (REST_NEEDS, "ClosedOrders", {"query_closed_orders"}),
    (REST_NEEDS, "QueryOrders", {"query_open_orders", "query_closed_orders"}),
    (REST_NEEDS, "TradesHistory", {"query_open_orders", "query_closed_orders"}),
    (REST_NEEDS, "QueryTrades", {"query_open_orders", "query_closed_orders"}),
    (REST_NEEDS, "OrderAmends", {"query_open_orders", "query_closed_orders"}),
    (REST_NEEDS, "Ledgers", {"query_ledger"}),
    (REST_NEEDS, "QueryLedgers", {"query_ledger"}),
    (REST_NEEDS, "GetWebSocketsToken", {"websocket"}),
    (REST_NEEDS, "GetApiKeyInfo", {str(permission) for permission in Permission}),
    *((REST_NEEDS, name, {"modify_orders"}) for name in ("AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder")),
    *(
        (REST_NEEDS, name, {"modify_orders", "cancel_orders"})
        for name in ("CancelOrder", "CancelOrderBatch", "CancelAll", "CancelAllOrdersAfter")
    ),
    *((METHOD_NEEDS, name, {"modify_orders"}) for name in ("add_order", "amend_order", "edit_order", "batch_add")),
    *((METHOD_NEEDS, name, {"modify_orders"}) for name in ("addOrder", "amendOrder", "editOrder")),
    *(
        (METHOD_NEEDS, name, {"modify_orders", "cancel_orders"})
        for name in ("cancel_order", "cancel_all", "cancel_all_orders_after", "batch_cancel")
    ),
    *(
        (METHOD_NEEDS, name, {"modify_orders", "cancel_orders"})
        for name in ("cancelOrder", "cancelAll", "cancelAllOrdersAfter")
    ),
    (CHANNEL_NEEDS, "balances", {"query_funds"}),
    (CHANNEL_NEEDS, "executions", {"query_open_orders", "query_closed_orders"}),
    (CHANNEL_NEEDS, "openOrders", {"query_open_orders"}),
    (CHANNEL_NEEDS, "ownTrades", {"query_open_orders", "query_closed_orders"}),
    (CHANNEL_NEEDS, "level3", {str(permission) for permission in Permission}),
]


@pytest.mark.parametrize(("table", "name", "enough"), HOLDERS, ids=[name for _, name, _ in HOLDERS])
def test_one_permission_is_enough_exactly_where_it_should_be(table: dict, name: str, enough: set[str]) -> None:
    for permission in Permission:
        refusal = permission_refusal({permission}, table[name])
        assert refusal == (None if permission in enough else "EGeneral:Permission denied")
    assert permission_refusal(ALL_PERMISSIONS, table[name]) is None


def test_every_entry_of_the_permission_tables_is_tested() -> None:
    assert len(HOLDERS) == len(REST_NEEDS) + len(METHOD_NEEDS) + len(CHANNEL_NEEDS)
