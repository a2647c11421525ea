"""The argument parser every subcommand is built from: explains in one line, suggests, never abbreviates."""

from __future__ import annotations

import argparse
import difflib
import sys
from typing import NoReturn, TypeAlias

from krakenwire.cli.exit_codes import USAGE

__all__ = ["Parser", "Subparsers"]

Subparsers: TypeAlias = "argparse._SubParsersAction[Parser]"
"""What `add_parser` of a subcommand module receives."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line that says what to do.

    Attributes:
        commands: the parsers of its subcommands by name.
    """

    def __init__(
        self,
        prog: str | None = None,
        usage: str | None = None,
        description: str | None = None,
        epilog: str | None = None,
        help: str | None = None,  # noqa: A002, ARG002 - argparse's own name; the list of commands shows it
    ) -> None:
        super().__init__(
            prog=prog,
            usage=usage,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.commands: dict[str, Parser] = {}

    def error(self, message: str) -> NoReturn:
        """End with the usage code and one line."""
        print(f"{self.prog}: {message}. See '{self.prog} --help'.", file=sys.stderr)
        raise SystemExit(USAGE)

    def chosen(self, *names: str | None) -> Parser:
        """Return the parser of a command, or of a command's action; this one where there is none of the name."""
        parser: Parser = self
        for name in names:
            parser = parser.commands.get(name or "", parser)
        return parser

    def refuse_extra(self, extra: list[str]) -> NoReturn:
        """End because of arguments nobody asked for, with the nearest known flag."""
        found = extra[0].partition("=")[0]
        near = difflib.get_close_matches(found, self._option_string_actions, 1)
        self.error(f"unknown argument {found}" + (f" (did you mean {near[0]}?)" if near else ""))
