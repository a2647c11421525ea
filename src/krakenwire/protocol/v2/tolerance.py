"""New members of known messages: leave them out, and count them.

The venue adds members without notice and clients must live with that, but it
should not happen unseen. Only frames the strict decoder refused come here.
"""

from __future__ import annotations

from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, get_args

import msgspec

__all__ = ["without_new_members"]


def without_new_members(value: Any, shape: Any) -> tuple[Any, int]:
    """Return a decoded JSON value with only the members its shape declares.

    Args:
        value: plain dicts and lists, as decoded without a type.
        shape: a struct type, ``list[...]`` of one, or anything else (kept as it is).

    Returns:
        The pruned value, and how many members were left out.
    """
    if isinstance(value, dict) and isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        return _pruned(value, shape)
    if isinstance(value, list) and (item := get_args(shape)):
        rows = [without_new_members(row, item[0]) for row in value]
        return [row for row, _ in rows], sum(extra for _, extra in rows)
    return value, 0


def _pruned(value: dict[str, Any], shape: type[msgspec.Struct]) -> tuple[dict[str, Any], int]:
    members, extra = _members(shape), 0
    kept: dict[str, Any] = {}
    for name, member in value.items():
        if name in members:
            kept[name], inside = without_new_members(member, members[name])
            extra += inside
        else:
            extra += 1
    return kept, extra


@lru_cache(maxsize=64)
def _members(shape: type[msgspec.Struct]) -> dict[str, Any]:
    """Types of a shape's members by wire name, without their None; the tag counts as one."""
    members = {field.encode_name: _present(field.type) for field in msgspec.structs.fields(shape)}
    tag_field = shape.__struct_config__.tag_field
    return members | {tag_field: str} if tag_field else members


def _present(kind: Any) -> Any:
    """The type of an optional member when it is there."""
    if not isinstance(kind, UnionType):
        return kind
    (present, *others) = (arm for arm in get_args(kind) if arm is not NoneType)
    return Any if others else present
