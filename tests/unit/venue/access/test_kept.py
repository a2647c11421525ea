"""What of nonces and tokens is written down, and what a later life of the venue knows by it."""

from __future__ import annotations

from random import Random

import pytest

from krakenwire.errors import JournalError
from krakenwire.model.secrets import Secret
from krakenwire.protocol.rest_sign import sign
from krakenwire.venue.access.kept import AccessChange, NonceTaken, TokenGood, TokensEnded, token_digest
from krakenwire.venue.access.keys import ApiKey, Keyring
from krakenwire.venue.access.permits import TokenPermits
from krakenwire.venue.access.tokens import Tokens
from krakenwire.venue.trading import Account, Ledger

SECOND = 1_000_000_000
T0 = 1_800_000_000 * SECOND
END_NS = T0 + 900 * SECOND
PATH = "/0/private/Balance"


def api_key(text: str = "public", nonce_window: int = 0, account: str = "ann") -> ApiKey:
    return ApiKey(key=text, secret=Secret("c2VjcmV0"), account=account, nonce_window=nonce_window)


class Life:
    """The keys and tokens of one life of a venue; what an earlier one wrote down is done again."""

    def __init__(self, *keys: ApiKey, after: Life | None = None, tokens_max: int = 1_000) -> None:
        self.notes: list[AccessChange] = [] if after is None else [*after.notes]
        self.ring = Keyring(keys or (api_key(),), None, self.notes.append)
        self.tokens = Tokens(Random(len(self.notes)).randbytes, kept_max=tokens_max, note=self.notes.append)
        for note in tuple(self.notes):
            if isinstance(note, NonceTaken):
                self.ring.redo(note)
            else:
                self.tokens.redo(note, self.ring.key(note.key) if isinstance(note, TokenGood) else None)

    def call(self, nonce: int, key: str = "public") -> str:
        body = f"nonce={nonce}".encode()
        found = self.ring.check(
            PATH, api_key=key, api_sign=sign(PATH, str(nonce), body, "c2VjcmV0"), body=body, now_ns=T0
        )
        return found if isinstance(found, str) else found.account

    def issue(self, now_ns: int = T0, key: str = "public") -> str:
        found = self.ring.key(key)
        assert found is not None
        return self.tokens.issue(found, now_ns).reveal()

    def owner(self, token: str, now_ns: int = T0) -> str | None:
        key = self.tokens.key(token, now_ns)
        return None if key is None else key.account


# -- nonces -----------------------------------------------------------------------


@pytest.mark.parametrize("window", [0, 10, (1 << 64) - 1])
def test_a_call_that_was_answered_is_refused_in_the_next_life(window: int) -> None:
    first = Life(api_key(nonce_window=window))
    assert [first.call(nonce) for nonce in (100, 200, (1 << 64) - 1)] == ["ann"] * 3
    second = Life(api_key(nonce_window=window), after=first)
    assert {second.call(nonce) for nonce in (100, 200, (1 << 64) - 1)} == {"EAPI:Invalid nonce"}


def test_a_nonce_inside_the_window_that_was_not_used_is_still_good() -> None:
    first = Life(api_key(nonce_window=10))
    assert [first.call(nonce) for nonce in (90, 100, 95)] == ["ann"] * 3
    second = Life(api_key(nonce_window=10), after=first)
    assert [second.call(nonce) for nonce in (96, 95, 89, 101)] == [
        "ann",
        "EAPI:Invalid nonce",
        "EAPI:Invalid nonce",
        "ann",
    ]


def test_only_what_was_let_in_is_written_and_each_once() -> None:
    life = Life()
    assert life.call(5) == "ann"
    assert life.call(5) == life.call(4) == "EAPI:Invalid nonce"
    assert life.call(6, key="nobody") == "EAPI:Invalid key"
    assert life.notes == [NonceTaken("public", 5)]


def test_nonces_of_a_key_that_is_gone_are_passed_over_and_count_when_it_comes_back() -> None:
    first = Life(api_key(), api_key("other"))
    assert first.call(7, key="other") == "ann"
    without = Life(after=first)
    assert without.call(3) == "ann"
    back = Life(api_key(), api_key("other"), after=without)
    assert back.call(7, key="other") == "EAPI:Invalid nonce"
    assert back.call(4) == "ann"


# -- tokens -----------------------------------------------------------------------


def test_a_token_is_good_in_the_next_lives_until_it_expires() -> None:
    first = Life()
    token = first.issue()
    second = Life(after=first)
    assert second.owner(token, END_NS - 1) == "ann"
    assert second.owner(token, END_NS) is None
    third = Life(after=second)
    assert third.owner(token, END_NS - 1) == "ann"
    assert Life(after=third).owner(token, END_NS) is None


def test_trading_with_a_token_lengthens_its_next_life_to_within_ten_seconds() -> None:
    first = Life()
    token = first.issue()
    for second in range(0, 3_000, 3):
        first.tokens.traded(token, T0 + second * SECOND)
    assert len(first.notes) < 302, "and not every order is written"
    exact_ns = T0 + (2_997 + 900) * SECOND
    later = Life(after=first)
    assert first.owner(token, exact_ns - 1) == later.owner(token, exact_ns - 10 * SECOND - 1) == "ann"
    assert first.owner(token, exact_ns) is later.owner(token, exact_ns) is None


def test_a_token_that_a_subscription_kept_alive_is_good_after_it_was_traded_with() -> None:
    first = Life()
    token = first.issue()
    first.tokens.keep(token, "executions")
    assert Life(after=first).owner(token, END_NS) is None, "the subscription ended with the venue"
    first.issue(END_NS + SECOND)
    first.tokens.traded(token, END_NS + 2 * SECOND)
    assert Life(after=first).owner(token, END_NS + 2 * SECOND) == "ann"


def test_a_token_of_an_earlier_life_is_kept_traded_with_and_released_as_any_other() -> None:
    first = Life()
    token = first.issue()
    second = Life(after=first)
    assert second.owner(token) == "ann"
    second.tokens.keep(token, "executions")
    second.tokens.traded(token, T0 + 60 * SECOND)
    second.tokens.poll(END_NS + SECOND)
    assert second.owner(token, END_NS + 3_600 * SECOND) == "ann"
    second.tokens.release(token, "executions")
    assert second.owner(token, END_NS + 60 * SECOND) is None
    assert Life(after=second).owner(token, END_NS + 60 * SECOND - 1) == "ann"


@pytest.mark.parametrize("seen", [False, True])
def test_tokens_that_were_ended_stay_so(seen: bool) -> None:
    first = Life(api_key(), api_key("second"), api_key("bob's", account="bob"))
    keys = first.ring.keys
    old, other, foreign = (first.issue(key=key.key) for key in keys)
    middle = Life(*keys, after=first)
    if seen:
        assert (middle.owner(old), middle.owner(other), middle.owner(foreign)) == ("ann", "ann", "bob")
    middle.tokens.expire_key("public")
    later = Life(*keys, after=middle)
    assert (later.owner(old), later.owner(other), later.owner(foreign)) == (None, "ann", "bob")
    middle.tokens.expire_account("ann")
    later = Life(*keys, after=middle)
    assert (later.owner(old), later.owner(other), later.owner(foreign)) == (None, None, "bob")
    middle.tokens.expire_all()
    later = Life(*keys, after=middle)
    assert (later.owner(old), later.owner(other), later.owner(foreign)) == (None, None, None)
    assert len(later.tokens) == 0


def test_a_token_that_had_to_make_room_stays_ended() -> None:
    first = Life(tokens_max=2)
    tokens = [first.issue(T0 + number) for number in range(3)]
    assert [first.owner(token) for token in tokens] == [None, "ann", "ann"]
    second = Life(after=first, tokens_max=2)
    newest = second.issue(T0 + 5)
    assert [second.owner(token) for token in (*tokens, newest)] == [None, None, "ann", "ann"]


def test_tokens_of_a_key_that_is_gone_belong_to_nobody() -> None:
    first = Life(api_key(), api_key("second"))
    token = first.issue(key="second")
    assert Life(after=first).owner(token) is None


def test_what_is_written_is_no_token() -> None:
    first = Life()
    token = first.issue()
    (note,) = first.notes
    assert note == TokenGood(token_digest(token), "public", END_NS)
    assert token.encode() not in repr(note).encode()
    second = Life(after=first)
    assert second.owner(note.digest.hex()) is second.owner(note.digest.decode("latin-1")) is None
    assert second.owner(token) == "ann"


def test_forgotten_tokens_take_no_memory_when_they_are_done_again() -> None:
    first = Life()
    for second in range(0, 90_000, 90):
        first.issue(T0 + second * SECOND)
    assert len(Life(after=first).tokens) == len(first.tokens) == 10


# -- what cannot be written --------------------------------------------------------


def full_disk(_: AccessChange) -> None:
    raise JournalError("journal", "No space left on device")


def test_what_cannot_be_written_does_not_take_effect() -> None:
    key = api_key()
    ring = Keyring((key,), None, full_disk)
    body = b"nonce=1"
    with pytest.raises(JournalError):
        ring.check(PATH, api_key="public", api_sign=sign(PATH, "1", body, key.secret), body=body, now_ns=T0)
    tokens = Tokens(Random(1).randbytes, note=full_disk)
    with pytest.raises(JournalError):
        tokens.issue(key, T0)
    assert len(tokens) == 0


def test_a_token_whose_longer_life_cannot_be_written_is_told_that_the_venue_is_unavailable() -> None:
    notes: list[AccessChange] = []
    fails = False

    def note(change: AccessChange) -> None:
        notes.append(change)
        if fails:
            full_disk(change)

    tokens, ledger = Tokens(Random(1).randbytes, note=note), Ledger({"USD": 4})
    ledger.open("ann")
    token, permits = tokens.issue(api_key(), T0).reveal(), TokenPermits(tokens, ledger)
    fails = True
    assert isinstance(permits.account(token, "add_order", T0 + 9 * SECOND), Account), "nothing is written so soon"
    assert permits.account(token, "add_order", T0 + 10 * SECOND) == "EService:Unavailable"
    fails = False
    assert isinstance(permits.account(token, "add_order", T0 + 10 * SECOND), Account)
    assert isinstance(notes[-1], TokenGood)
    assert not any(isinstance(each, TokensEnded) for each in notes)
