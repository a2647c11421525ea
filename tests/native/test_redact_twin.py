"""The compiled look for secrets in a frame finds what its readable twin finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire import _native
from krakenwire.tape.redact import may_hold_secret

pytestmark = pytest.mark.skipif(not _native.BUILT, reason="the compiled twins are not built")

_WORDS = "token TOKEN Toke api aPi ap secret SeCret secre tapi sapi ttoken sesecret u n 7"
_PIECES = st.sampled_from([*_WORDS.encode().split(), b"\\", b"\\u", b"\\U", b'"', b"\x14", b"\xf4"])


@given(st.lists(_PIECES | st.binary(max_size=4), max_size=12).map(b"".join))
def test_both_twins_find_the_same(frame: bytes) -> None:
    from krakenwire._native import redact

    assert redact.may_hold_secret(frame) == may_hold_secret(frame)


@pytest.mark.parametrize("word", [b"token", b"api", b"secret", b"\\u"])
@pytest.mark.parametrize("before", range(5))
@pytest.mark.parametrize("behind", range(5))
def test_a_word_is_found_wherever_it_stands_and_not_when_a_letter_is_missing(
    word: bytes, before: int, behind: int
) -> None:
    from krakenwire._native import redact

    assert redact.may_hold_secret(b"1" * before + word + b"1" * behind)
    assert redact.may_hold_secret(b"1" * before + word.upper() + b"1" * behind)
    assert not redact.may_hold_secret(b"1" * before + word[:-1] + b"1" * behind)
