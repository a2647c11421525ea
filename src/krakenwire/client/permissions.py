"""What an API key may do, asked of the venue, and the refusal of what it may not - before anything is at stake.

What each request needs is in `krakenwire.protocol.permissions`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

from krakenwire.errors import PermissionMissing, VenueRefusal
from krakenwire.model import PERMISSION_WORDS, Permission
from krakenwire.protocol.permissions import Needs

if TYPE_CHECKING:
    from krakenwire.client.rest import RestClient

__all__ = ["check_permissions", "held_permissions", "require"]

_UNKNOWN_METHOD: Final = "EGeneral:Unknown method"


def check_permissions(rest: RestClient, needed: Collection[Permission]) -> None:
    """Make sure that an API key may do what will be wanted of it, before anything is at stake.

    Args:
        rest: of the key.
        needed: all of them; whoever may modify orders may cancel them too.

    Raises:
        PermissionMissing: naming those it lacks.
        VenueRefusal: the venue does not know the key, or does not tell.
    """
    held = set(rest.key_info().permissions)
    if Permission.MODIFY_ORDERS in held:
        held.add(Permission.CANCEL_ORDERS)
    require(held, [frozenset((permission,)) for permission in Permission if permission in needed])


def held_permissions(rest: RestClient) -> frozenset[Permission] | None:
    """Return what a key may do; None where the venue does not know the question.

    Raises:
        VenueRefusal: the venue does not know the key.
    """
    try:
        return rest.key_info().permissions
    except VenueRefusal as refusal:
        if refusal.error != _UNKNOWN_METHOD:
            raise
        return None


def require(held: Collection[Permission] | None, needs: Iterable[Needs]) -> None:
    """Refuse what a key may not do.

    Args:
        held: what it may; None when nobody knows, and the venue has to refuse.
        needs: of each, one permission is enough, and none is needed where it is empty.

    Raises:
        PermissionMissing: naming what it lacks.
    """
    lacking = [need for need in needs if held is not None and need and need.isdisjoint(held)]
    if lacking:
        raise PermissionMissing(tuple(" or ".join(sorted(PERMISSION_WORDS[one] for one in need)) for need in lacking))
