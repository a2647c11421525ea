"""WebSocket tokens: how long they are valid, who keeps them, and what ends them."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.model.secrets import Secret
from krakenwire.venue.access.keys import ApiKey
from krakenwire.venue.access.tokens import Tokens

SECOND = 1_000_000_000
START_NS = 1_800_000_000 * SECOND
END_NS = START_NS + 900 * SECOND


def api_key(account: str = "alice", key: str = "public") -> ApiKey:
    return ApiKey(key=key, secret=Secret("c2VjcmV0"), account=account)


def issued(tokens: Tokens, now_ns: int = START_NS, key: ApiKey | None = None) -> str:
    return tokens.issue(key or api_key(), now_ns).reveal()


def some_tokens(**settings: int) -> Tokens:
    return Tokens(Random(7).randbytes, **settings)


def owner(tokens: Tokens, token: str, now_ns: int) -> str | None:
    key = tokens.key(token, now_ns)
    return key.account if key is not None else None


def test_token_is_43_characters_and_each_is_another() -> None:
    tokens = some_tokens()
    texts = {issued(tokens) for _ in range(200)}
    assert len(texts) == 200
    assert all(re.fullmatch(r"[A-Za-z0-9+/]{43}", text) for text in texts)
    assert tokens.lifetime_s == 900


def test_same_chance_gives_the_same_tokens() -> None:
    assert issued(some_tokens()) == issued(some_tokens())


def test_unused_token_ends_after_fifteen_minutes() -> None:
    tokens = some_tokens()
    token = issued(tokens)
    assert owner(tokens, token, END_NS - 1) == "alice"
    assert owner(tokens, token, END_NS) is None


@pytest.mark.parametrize("text", ["", "x", "x" * 43, "\udcff", "A" * 100_000])
def test_unknown_token_belongs_to_nobody(text: str) -> None:
    tokens = some_tokens()
    issued(tokens)
    assert owner(tokens, text, START_NS) is None


def test_subscription_keeps_a_token_beyond_its_time() -> None:
    tokens = some_tokens()
    token = issued(tokens)
    tokens.keep(token, (1, "executions"))
    tokens.poll(END_NS + 3_600 * SECOND)
    assert owner(tokens, token, END_NS + 3_600 * SECOND) == "alice"
    tokens.release(token, (1, "executions"))
    assert owner(tokens, token, END_NS + 3_600 * SECOND) is None


def test_token_lives_until_the_last_of_its_connections_lets_go() -> None:
    tokens = some_tokens()
    token = issued(tokens)
    tokens.keep(token, (1, "executions"))
    tokens.keep(token, (2, "executions"))
    tokens.release(token, (1, "executions"))
    tokens.release(token, (1, "executions"))
    tokens.release(token, (3, "balances"))
    assert owner(tokens, token, END_NS) == "alice"
    tokens.release(token, (2, "executions"))
    assert owner(tokens, token, END_NS) is None


def test_token_released_in_time_is_valid_for_the_rest_of_it() -> None:
    tokens = some_tokens()
    token = issued(tokens)
    tokens.keep(token, 1)
    tokens.release(token, 1)
    tokens.poll(END_NS - 1)
    assert owner(tokens, token, END_NS - 1) == "alice"
    tokens.poll(END_NS)
    assert len(tokens) == 0


def test_trading_prolongs_a_token() -> None:
    tokens = some_tokens()
    token = issued(tokens)
    tokens.traded(token, START_NS + 600 * SECOND)
    tokens.poll(END_NS)
    assert owner(tokens, token, START_NS + 1_500 * SECOND - 1) == "alice"
    assert owner(tokens, token, START_NS + 1_500 * SECOND) is None
    tokens.poll(START_NS + 1_500 * SECOND)
    assert len(tokens) == 0


def test_expired_tokens_are_forgotten_when_they_are_due() -> None:
    tokens = some_tokens()
    assert tokens.next_deadline_ns() is None
    issued(tokens)
    kept = issued(tokens, START_NS + SECOND)
    tokens.keep(kept, 1)
    assert tokens.next_deadline_ns() == END_NS
    tokens.poll(END_NS - 1)
    assert len(tokens) == 2
    tokens.poll(END_NS)
    assert len(tokens) == 1
    assert tokens.next_deadline_ns() is None
    tokens.release(kept, 1)
    assert tokens.next_deadline_ns() == END_NS + SECOND


def test_all_tokens_end_on_demand() -> None:
    tokens = some_tokens()
    token, kept = issued(tokens), issued(tokens)
    tokens.keep(kept, 1)
    tokens.expire_all()
    assert [owner(tokens, text, START_NS) for text in (token, kept)] == [None, None]
    tokens.release(kept, 1)
    assert tokens.next_deadline_ns() is None


def test_tokens_of_one_account_or_key_end_on_demand() -> None:
    tokens = some_tokens()
    keys = [api_key("alice", "a1"), api_key("alice", "a2"), api_key("bob", "b1")]
    texts = [issued(tokens, key=key) for key in keys]
    tokens.expire_key("a1")
    assert [owner(tokens, text, START_NS) for text in texts] == [None, "alice", "bob"]
    tokens.expire_account("alice")
    tokens.expire_account("nobody")
    assert [owner(tokens, text, START_NS) for text in texts] == [None, None, "bob"]
    assert len(tokens) == 1


def test_too_many_tokens_end_the_oldest_that_nobody_keeps() -> None:
    tokens = some_tokens(kept_max=3)
    first, second, third = (issued(tokens) for _ in range(3))
    of_bob = issued(tokens, key=api_key("bob"))
    tokens.keep(first, 1)
    fourth = issued(tokens)
    owners = [owner(tokens, text, START_NS) for text in (first, second, third, fourth, of_bob)]
    assert owners == ["alice", None, "alice", "alice", "bob"]


def test_too_many_kept_tokens_end_the_oldest() -> None:
    tokens = some_tokens(kept_max=2)
    texts = [issued(tokens) for _ in range(2)]
    for text in texts:
        tokens.keep(text, 1)
    texts.append(issued(tokens))
    assert [owner(tokens, text, START_NS) for text in texts] == [None, "alice", "alice"]


def test_token_is_in_no_text_but_its_own() -> None:
    tokens = some_tokens()
    secret = tokens.issue(api_key(), START_NS)
    token = secret.reveal()
    shown = [repr(secret), str(secret), f"{secret}", repr(tokens), str(tokens), repr(tokens.key(token, START_NS))]
    assert not any(token in text for text in shown)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["issue", "keep", "release", "traded", "poll"]),
        st.integers(0, 5),
        st.integers(0, 2),
        st.integers(0, 400),
    ),
    max_size=60,
)


@given(STEPS)
def test_polling_never_changes_who_is_let_in(steps: list[tuple[str, int, int, int]]) -> None:
    polled, plain, now_ns = some_tokens(), some_tokens(), START_NS
    plain.poll = lambda now_ns: None  # type: ignore[method-assign]
    texts: list[str] = []
    for verb, which, holder, pause_s in steps:
        now_ns += pause_s * SECOND
        valid = which < len(texts) and polled.key(texts[which], now_ns) is not None
        if verb == "issue":
            texts.append(issued(polled, now_ns))
            assert issued(plain, now_ns) == texts[-1]
        for tokens in (polled, plain):
            if verb == "keep" and valid:
                tokens.keep(texts[which], holder)
            if verb == "release" and which < len(texts):
                tokens.release(texts[which], holder)
            if verb == "traded" and valid:
                tokens.traded(texts[which], now_ns)
            tokens.poll(now_ns)
        for text in texts:
            assert owner(polled, text, now_ns) == owner(plain, text, now_ns)
    due_ns = polled.next_deadline_ns()
    assert due_ns is None or due_ns > now_ns
