"""Errors carry fields, say what to do, and never carry more of a frame than an excerpt."""

from __future__ import annotations

import pytest

from krakenwire import errors


def test_every_public_error_stands_in_the_one_tree() -> None:
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.KrakenwireError)


def test_the_tree_at_the_top_of_the_module_names_every_error() -> None:
    assert errors.__doc__ is not None
    missing = [name for name in errors.__all__ if name not in errors.__doc__]
    assert missing == []


def test_a_usage_error_says_what_was_expected_found_and_to_do() -> None:
    text = str(errors.UsageError("unknown depth", expected="10 or 25", found=42, hint="Use --depth 10"))
    assert text == "unknown depth: expected 10 or 25, found 42. Use --depth 10"


@pytest.mark.parametrize(("status", "retryable"), [(429, True), (503, True), (404, False), (403, False)])
def test_only_busy_handshakes_are_worth_another_try(status: int, retryable: bool) -> None:
    assert errors.HandshakeError("ws://x", status).retryable is retryable


def test_a_violation_keeps_a_printable_excerpt_only() -> None:
    error = errors.DecodeError("not JSON", b"\xff\x00\n" + b"x" * 10_000)
    assert len(str(error)) < 300
    assert "\n" not in str(error)
