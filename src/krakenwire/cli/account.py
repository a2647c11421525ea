"""What the commands about an account share: whose it is, where, and the question before anything is sent.

Money moves only on this machine, or after a yes. Keys come from the environment
or a file, never from the command line (`secrecy`); of one, four characters are shown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from krakenwire.client.credentials import KEY_VARIABLE, SECRET_VARIABLE, Credentials, credentials
from krakenwire.errors import ConfigError

__all__ = ["KEYS_TEXT", "add_key_file", "add_on", "confirm", "key_begins", "keys_at"]

KEYS_TEXT: Final = """\
Key and secret come from KRAKEN_API_KEY and KRAKEN_API_SECRET, or from --key-file:
the key on one line, the secret on the next, in a file that only you can read
(chmod 600). They are never arguments. --on local has an account of its own."""

_KEY_CHARS_SHOWN: Final = 4
_YES: Final = "yes"


def add_on(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add ``--on``."""
    meaning = "nowhere: it is only shown" if default is None else default
    parser.add_argument(
        "--on", default=default, metavar="WHERE", help=f"live, beta, local, or an address (default {meaning})"
    )


def add_key_file(parser: argparse.ArgumentParser) -> None:
    """Add ``--key-file``."""
    parser.add_argument("--key-file", metavar="FILE", help="key and secret, in a file that only you can read")


def keys_at(on: str, key_file: str | None) -> Credentials | None:
    """Return the key and secret that will be used; None for the local Kraken's own.

    Args:
        on: environment or address.
        key_file: where they are; None for the environment's variables.

    Raises:
        ConfigError: there are none, or what is there is no key and secret.
    """
    if on == "local":
        if key_file is not None:
            raise ConfigError("--key-file with --on local", expected="none: it has an account of its own")
        return None
    found = credentials(key_file)
    if found is None:
        raise ConfigError("this needs an account", expected=f"{KEY_VARIABLE} and {SECRET_VARIABLE}, or --key-file")
    return found


def key_begins(keys: Credentials | None) -> str:
    """Return the first characters of a key, to tell it from another."""
    return "its own" if keys is None else f"{keys.key[:_KEY_CHARS_SHOWN]}..."


def confirm(stake: Sequence[str], *, given: bool) -> None:
    """Show what is at stake, and go on only after a yes.

    Args:
        stake: lines to be shown.
        given: whether ``--yes`` was given: then nobody is asked.

    Raises:
        ConfigError: the answer was another one, or nobody is there to ask.
    """
    print("\n".join(stake), file=sys.stderr, flush=True)
    if given:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(
            "the question before sending", expected="a terminal, or --yes to send without it", hint="Nothing was sent."
        )
    print(f"Type {_YES} to send: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != _YES:
        raise ConfigError("the question before sending", expected=f"the answer {_YES}", hint="Nothing was sent.")
