"""For whom a WebSocket token speaks, and whether its key may do what is asked."""

from __future__ import annotations

from collections.abc import Hashable

from krakenwire.errors import JournalError
from krakenwire.protocol.rest import UNAVAILABLE
from krakenwire.venue.access.permissions import CHANNEL_NEEDS, METHOD_NEEDS, permission_refusal
from krakenwire.venue.access.tokens import INVALID_SESSION, Tokens
from krakenwire.venue.trading import Account, Ledger

__all__ = ["TokenPermits"]


class TokenPermits:
    """The tokens of a venue beside its accounts.

    Args:
        tokens: every token.
        ledger: every account.
    """

    def __init__(self, tokens: Tokens, ledger: Ledger) -> None:
        self._tokens, self._ledger = tokens, ledger

    def account(self, token: str, asked: str, now_ns: int) -> Account | str:
        """Return whose token it is, or the text to refuse with; see `front.Permit`.

        What cannot be written down is not done: the venue is unavailable.
        """
        key = self._tokens.key(token, now_ns)
        account = None if key is None else self._ledger.account(key.account)
        if key is None or account is None:
            return INVALID_SESSION
        needs = METHOD_NEEDS.get(asked)
        refusal = permission_refusal(key.permissions, CHANNEL_NEEDS[asked] if needs is None else needs)
        if refusal is not None:
            return refusal
        if needs is not None:
            try:
                self._tokens.traded(token, now_ns)
            except JournalError:
                return UNAVAILABLE
        return account

    def keep(self, token: str, holder: Hashable) -> None:
        """A subscription opened with a valid token keeps it alive."""
        self._tokens.keep(token, holder)

    def release(self, token: str, holder: Hashable) -> None:
        """That subscription has ended."""
        self._tokens.release(token, holder)
