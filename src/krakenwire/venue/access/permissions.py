"""Whether an API key may do what is asked, in the venue's words.

A token has the permissions of the key it was issued for. Which request needs
which permission is in `krakenwire.protocol.permissions`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from krakenwire.model.permissions import Permission
from krakenwire.protocol.permissions import CHANNEL_NEEDS, METHOD_NEEDS, REST_NEEDS, Needs

__all__ = [
    "ALL_PERMISSIONS",
    "CHANNEL_NEEDS",
    "METHOD_NEEDS",
    "PERMISSION_DENIED",
    "REST_NEEDS",
    "Permission",
    "permission_refusal",
]

PERMISSION_DENIED: Final = "EGeneral:Permission denied"

ALL_PERMISSIONS: Final = frozenset(Permission)


def permission_refusal(held: Collection[Permission], needs: Needs) -> str | None:
    """Return the venue's text when none of the permissions needed is held, None when one is."""
    return None if not needs or not needs.isdisjoint(held) else PERMISSION_DENIED
