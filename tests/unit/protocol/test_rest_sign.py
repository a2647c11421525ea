"""Signatures agree with the documented one, and the nonce is found wherever a client may put it."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.errors import ConfigError
from krakenwire.model.secrets import Secret
from krakenwire.protocol.rest_sign import NONCE_MAX, nonce_in, secret_bytes, sign

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def sha512_hmac(key: bytes, message: bytes) -> bytes:
    """RFC 2104 written out, so that nothing of the code under test is in it."""
    padded = key.ljust(128, b"\0")
    inner = hashlib.sha512(bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.sha512(bytes(byte ^ 0x5C for byte in padded) + inner).digest()


def test_signatures_are_those_of_the_vectors(shared: Path) -> None:
    vectors = json.loads((shared / "protocol/vectors/v2-rest-sign.json").read_text())
    assert vectors["vectors"]
    for row in vectors["vectors"]:
        body = row["body"].encode()
        nonce = nonce_in(body, row["content_type"])
        assert nonce == row["nonce"]
        assert sign(row["path"], nonce, body, Secret(vectors["secret"])) == row["api_sign"]


@pytest.mark.parametrize("body", [b"nonce=42&pair=XBTUSD", b'{"nonce": 42, "pair": "XBTUSD"}', b""])
def test_signature_is_the_keyed_hash_of_path_and_hashed_nonce_and_body(body: bytes) -> None:
    key = bytes(range(64))
    message = b"/0/private/AddOrder" + hashlib.sha256(b"42" + body).digest()
    expected = base64.b64encode(sha512_hmac(key, message)).decode()
    assert sign("/0/private/AddOrder", "42", body, base64.b64encode(key).decode()) == expected


@pytest.mark.parametrize("secret", ["", "not base64!", "YWJj=ZGVm", "abc", "ключ"])
def test_secret_that_is_not_base64_is_refused_and_not_told(secret: str) -> None:
    with pytest.raises(ConfigError) as refused:
        secret_bytes(Secret(secret))
    assert not secret or secret not in str(refused.value)


@pytest.mark.parametrize(
    ("content_type", "body", "nonce"),
    [
        (FORM, b"nonce=1616492376594&pair=XBTUSD", "1616492376594"),
        (FORM, b"pair=XBTUSD&nonce=7", "7"),
        (FORM, b"nonce=%31%36", "16"),
        (FORM, b"%6eonce=5", "5"),
        (FORM, b"nonce=007", "007"),
        (FORM, b"nonce=1&nonce=2", "2"),
        ("", b"nonce=0", "0"),
        (FORM, b"nonce=18446744073709551615", "18446744073709551615"),
        (JSON, b'{"nonce":1616492376594}', "1616492376594"),
        (JSON, b'{"pair":"XBTUSD","nonce":"1616492376594"}', "1616492376594"),
        (JSON, b'{"nonce":18446744073709551615}', "18446744073709551615"),
        ("application/json; charset=utf-8", b' {"nonce": "3"}', "3"),
        ("Application/JSON", b'{"nonce":3}', "3"),
        ("", b'{"nonce":3}', "3"),
        (FORM, b'\n{"nonce":3}', "3"),
    ],
)
def test_nonce_is_found_in_form_and_json_bodies(content_type: str, body: bytes, nonce: str) -> None:
    assert nonce_in(body, content_type) == nonce


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b""),
        (FORM, b"nonce"),
        (FORM, b"nonce="),
        (FORM, b"nonce=abc"),
        (FORM, b"nonce=-1"),
        (FORM, b"nonce=+1"),
        (FORM, b"nonce=1.5"),
        (FORM, b"nonce=1e3"),
        (FORM, "nonce=١٢".encode()),
        (FORM, b"nonce=18446744073709551616"),
        (FORM, b"nonce=" + b"9" * 100_000),
        (FORM, b"nonce=%zz"),
        (FORM, b"nonce=\xff"),
        (FORM, b"xnonce=1"),
        (JSON, b""),
        (JSON, b"nonce=1"),
        (JSON, b"[1]"),
        (JSON, b"3"),
        (JSON, b'{"nonce":null}'),
        (JSON, b'{"nonce":true}'),
        (JSON, b'{"nonce":1.5}'),
        (JSON, b'{"nonce":-1}'),
        (JSON, b'{"nonce":[1]}'),
        (JSON, b'{"nonce":""}'),
        (JSON, b'{"nonce":18446744073709551616}'),
        (JSON, b'{"nonce":' + b"9" * 100_000 + b"}"),
        (JSON, b'{"inner":{"nonce":1}}'),
        (JSON, b'{"nonce":1'),
        (JSON, b'{"nonce":"\xff"}'),
        (JSON, b'{"a":' + b"[" * 100_000),
    ],
)
def test_body_without_a_possible_nonce_has_none(content_type: str, body: bytes) -> None:
    assert nonce_in(body, content_type) is None


@given(st.binary(max_size=60), st.sampled_from(["", FORM, JSON]))
def test_any_bytes_give_a_nonce_or_none(body: bytes, content_type: str) -> None:
    found = nonce_in(body, content_type)
    assert found is None or 0 <= int(found) <= NONCE_MAX


@given(st.integers(0, NONCE_MAX))
def test_every_nonce_is_read_as_it_was_written(nonce: int) -> None:
    for body in (f"nonce={nonce}", f'{{"nonce":{nonce}}}', f'{{"nonce":"{nonce}"}}'):
        assert nonce_in(body.encode()) == str(nonce)
