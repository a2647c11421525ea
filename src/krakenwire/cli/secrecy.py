"""Keys are never arguments: whoever is on the machine can read those, and shells keep them.

Looked at before anything else reads the command line, so that no message can repeat what should not be there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final

from krakenwire.client.credentials import KEY_VARIABLE, SECRET_VARIABLE
from krakenwire.errors import ConfigError

__all__ = ["refuse_secrets"]

_FLAGS: Final = frozenset({"--key", "--secret", "--api-key", "--api-secret", "--private-key", "--credentials"})
_SECRET_TEXT: Final = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
"""Keys of the venue have 56 characters, their secrets 88; ids of orders have 36 at most."""

_HINT: Final = (
    f"Set {KEY_VARIABLE} and {SECRET_VARIABLE}, or name a file that only you can read with --key-file."
    " A key that has been written on a command line is best replaced."
)


def refuse_secrets(arguments: Sequence[str]) -> None:
    """Refuse a command line with something in it that looks like an API key or its secret.

    Args:
        arguments: without the program's name.

    Raises:
        ConfigError: without repeating it.
    """
    kept = {os.environ.get(name, "") for name in (KEY_VARIABLE, SECRET_VARIABLE)} - {""}
    for argument in arguments:
        flag, _, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
        if flag in _FLAGS or value in kept or _looks_secret(value):
            raise ConfigError("the command line", expected="no API key and no secret in it", hint=_HINT)


def _looks_secret(text: str) -> bool:
    return _SECRET_TEXT.fullmatch(text) is not None and not os.path.exists(text)
