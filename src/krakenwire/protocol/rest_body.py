"""The parameters of a private REST call, whether its body is a form or JSON: one flat table of texts.

What JSON nests is written as a form would: ``close[ordertype]``,
``orders[0][price]``. Nothing here knows what a parameter means, and nothing
raises but `Declined`. Next: `rest_trading`. Source: v2 reference, section 4.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from krakenwire import limits
from krakenwire.protocol.flat_values import exact_text, scalar_text
from krakenwire.protocol.v2.refusals import Declined

__all__ = ["form_body", "items", "parameters", "rows"]

_INVALID: Final = "EGeneral:Invalid arguments"
_DEPTH_MAX: Final = 4
_NAMES_MAX: Final = 2_000

_JSON: Final = re.compile(rb"\s*\{")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_ITEM: Final = re.compile(r"(\w+)\[([0-9]{0,4})\]")
_MEMBER: Final = re.compile(r"(\w+)\[([0-9]{1,4})\]\[(\w+)(\[\w+\])?\](\[\w+\])?")
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

_DECODER: Final = msgspec.json.Decoder(float_hook=exact_text)


def parameters(body: bytes) -> dict[str, str]:
    """Return the parameters of a body by their flat names; null is absent.

    Of a plain name given twice the last counts, as Kraken's forms and ``name[]`` are PHP's; several
    values of one name are written ``name[]``, or as a comma list.

    Raises:
        Declined: not a form and not a JSON object, nested too deeply, or too many of them.
    """
    if len(body) > limits.REQUEST_BYTES_MAX:
        raise Declined(_INVALID)
    found = dict(_of_json(body) if _JSON.match(body) else _of_form(body))
    if len(found) > _NAMES_MAX:
        raise Declined(_INVALID)
    return found


def items(params: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return a list of texts: ``name[0]``, ``name[1]`` … in order, or the parts of a comma list."""
    listed = {}
    for key, text in params.items():
        match = _ITEM.fullmatch(key)
        if match is not None and match[1] == name:
            listed[int(match[2] or 0)] = text
    if listed:
        return tuple(listed[index] for index in sorted(listed))
    return tuple(part.strip() for part in params.get(name, "").split(",") if part.strip())


def rows(params: Mapping[str, str], name: str) -> tuple[dict[str, str], ...]:
    """Return a list of tables: ``name[0][price]`` is ``price`` of the first, in order."""
    found: dict[int, dict[str, str]] = {}
    for key, text in params.items():
        match = _MEMBER.fullmatch(key)
        if match is not None and match[1] == name:
            member = match[3] + (match[4] or "") + (match[5] or "")
            found.setdefault(int(match[2]), {})[member] = text
    return tuple(found[index] for index in sorted(found))


def form_body(params: Mapping[str, str]) -> bytes:
    """Return the form that says these parameters."""
    return b"&".join(_escaped(name) + b"=" + _escaped(text) for name, text in params.items())


def _escaped(text: str) -> bytes:
    return b"".join(bytes((byte,)) if byte in _PLAIN else b"%%%02X" % byte for byte in text.encode("utf-8", "replace"))


def _of_form(body: bytes) -> Iterator[tuple[str, str]]:
    """The parameters of a form; ``name[]``, given again and again, counts its own places."""
    counted: dict[str, int] = {}
    for part in body.split(b"&"):
        if part:
            escaped, _, value = part.partition(b"=")
            name = _unescaped(escaped)
            if name.endswith("[]"):
                index = counted[name] = counted.get(name, -1) + 1
                name = f"{name[:-1]}{index}]"
            yield name, _unescaped(value)


def _unescaped(text: bytes) -> str:
    plain = _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), text.replace(b"+", b" "))
    return plain.decode("utf-8", "replace")


def _of_json(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        message = _DECODER.decode(body)
    except (ValueError, RecursionError):
        raise Declined(_INVALID) from None
    assert isinstance(message, dict)
    for name, value in message.items():
        yield from _flat(name, value, _DEPTH_MAX)


def _flat(name: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:
    """The texts inside a JSON value by their flat names."""
    if value is None:
        return
    if isinstance(value, dict | list):
        if not depth:
            raise Declined(_INVALID)
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _flat(f"{name}[{key}]", inner, depth - 1)
        return
    text = scalar_text(value)
    if text is None:
        raise Declined(f"{_INVALID}:{name}")
    yield name, text
