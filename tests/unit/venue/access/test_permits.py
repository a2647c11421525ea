"""For whom a token speaks: its key's permissions decide, also when there are none."""

from __future__ import annotations

from random import Random

import pytest

from krakenwire.model.secrets import Secret
from krakenwire.venue.access.keys import ApiKey
from krakenwire.venue.access.permissions import Permission
from krakenwire.venue.access.permits import TokenPermits
from krakenwire.venue.access.tokens import Tokens
from krakenwire.venue.trading import Account, Ledger

NOW_NS = 1_800_000_000_000_000_000


def asked(what: str, *permissions: Permission) -> Account | str:
    """Ask for something with the token of a key that has these permissions."""
    ledger, tokens = Ledger({"USD": 4}), Tokens(Random(7).randbytes)
    ledger.open("ann")
    key = ApiKey(key="ann", secret=Secret("c2VjcmV0"), account="ann", permissions=frozenset(permissions))
    return TokenPermits(tokens, ledger).account(tokens.issue(key, NOW_NS).reveal(), what, NOW_NS)


@pytest.mark.parametrize("what", ["add_order", "cancelAll", "executions", "balances", "ownTrades"])
def test_a_key_without_permissions_is_denied(what: str) -> None:
    assert asked(what) == "EGeneral:Permission denied"


def test_level3_needs_a_token_and_no_permission() -> None:
    assert isinstance(asked("level3"), Account)
    assert isinstance(asked("level3", Permission.QUERY_LEDGER), Account)


def test_one_of_two_permissions_is_enough() -> None:
    assert isinstance(asked("cancel_order", Permission.CANCEL_ORDERS), Account)
    assert isinstance(asked("cancel_order", Permission.MODIFY_ORDERS), Account)
    assert asked("cancel_order", Permission.QUERY_FUNDS) == "EGeneral:Permission denied"
