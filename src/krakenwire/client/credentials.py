"""An API key and its secret: where they may come from, and how they stay unseen.

From the environment, from a file that nobody else can read, from a callable,
or from the caller's own hands; never from a command line, which everybody on
the machine can read. Neither text is in any repr, error or log.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from typing import Final, NoReturn, TypeAlias

from krakenwire import limits
from krakenwire.errors import ConfigError
from krakenwire.model.secrets import Secret
from krakenwire.protocol.rest_sign import secret_bytes

__all__ = ["KEY_VARIABLE", "SECRET_VARIABLE", "Credentials", "CredentialsSource", "credentials"]

KEY_VARIABLE: Final = "KRAKEN_API_KEY"
SECRET_VARIABLE: Final = "KRAKEN_API_SECRET"  # noqa: S105 - the name of a variable

_KEY_TEXT: Final = re.compile(r"[!-~]{1,128}")
_NAMED: Final = re.compile(rf"(?:export\s+)?({KEY_VARIABLE}|{SECRET_VARIABLE})\s*=\s*(.*)")
_FORMAT: Final = f"the key on one line and the secret on the next, or {KEY_VARIABLE}=... and {SECRET_VARIABLE}=..."
_SOURCES: Final = "a file, a callable that returns a key and a secret, or these two themselves"


class Credentials:
    """An API key of the venue with its secret.

    Args:
        key: the public text; it says whose account it is, so it is not shown either.
        secret: the private part, base64.

    Raises:
        ConfigError: one of them cannot be what it should be; what was found stays unsaid.
    """

    __slots__ = ("key", "secret")

    def __init__(self, key: str, secret: Secret | str) -> None:
        if not isinstance(key, str) or _KEY_TEXT.fullmatch(key) is None:
            raise ConfigError("API key", expected="at most 128 visible ASCII characters")
        if not isinstance(secret, Secret | str):
            raise ConfigError("API secret", expected="a str")
        self.key = key
        self.secret = secret if isinstance(secret, Secret) else Secret(secret)
        secret_bytes(self.secret)

    def __repr__(self) -> str:
        return "Credentials(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are never pickled or copied")


_Pair: TypeAlias = "Credentials | tuple[str, Secret | str]"

CredentialsSource: TypeAlias = "_Pair | Callable[[], _Pair] | str | os.PathLike[str] | None"
"""Where credentials may come from; None stands for the environment, a str for a file."""


def credentials(source: CredentialsSource = None) -> Credentials | None:
    """Return the credentials of a source; None when the environment has none.

    Args:
        source: None for the variables `KRAKEN_API_KEY` and `KRAKEN_API_SECRET`; the path of a file that only its
            owner can read, with the key on one line and the secret on the next, or with the two variables; a
            callable that returns both, called at once; or both themselves.

    Raises:
        ConfigError: only one of the variables is set, the file cannot be read or can be read by others, or what
            is there is no key and secret. No text of it is repeated.
    """
    if source is None:
        return _from_environment()
    if isinstance(source, str | os.PathLike):
        return _from_file(os.fspath(source))
    return _given(source() if callable(source) else source)


def _given(pair: object) -> Credentials:
    if isinstance(pair, Credentials):
        return pair
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise ConfigError("credentials", expected=_SOURCES)
    return Credentials(pair[0], pair[1])


def _from_environment() -> Credentials | None:
    key, secret = os.environ.get(KEY_VARIABLE, ""), os.environ.get(SECRET_VARIABLE, "")
    if not key and not secret:
        return None
    if not key or not secret:
        missing, there = (SECRET_VARIABLE, KEY_VARIABLE) if key else (KEY_VARIABLE, SECRET_VARIABLE)
        raise ConfigError(missing, expected=f"to be set, as {there} is")
    return Credentials(key.strip(), secret.strip())


# -- files -----------------------------------------------------------------------


def _from_file(path: str) -> Credentials:
    return Credentials(*_texts(_content(path), path))


def _content(path: str) -> str:
    """Read a file, checked as it is opened: nobody can put another one in its place in between."""
    try:
        file = open(path, "rb", opener=_opened)  # noqa: SIM115 - closed below; here only its opening may fail
    except OSError as error:
        expected = "a file that can be read"
        raise ConfigError("credentials file", expected=expected, found=f"{path} ({error.strerror})") from error
    with file:
        _check_mode(os.fstat(file.fileno()).st_mode, path)
        data = file.read(limits.CREDENTIALS_BYTES_MAX + 1)
    if len(data) > limits.CREDENTIALS_BYTES_MAX:
        raise ConfigError("credentials file", expected=f"at most {limits.CREDENTIALS_BYTES_MAX} bytes", found=path)
    return data.decode("utf-8-sig", "replace")


def _opened(path: str, flags: int) -> int:
    """A pipe would wait for a writer, so it is not waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_mode(mode: int, path: str) -> None:
    if not stat.S_ISREG(mode):
        raise ConfigError("credentials file", expected="a regular file", found=path)
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            "credentials file",
            expected="a file that only its owner can read",
            found=f"{path} with mode {stat.S_IMODE(mode):04o}",
            hint=f"Run: chmod 600 {path}",
        )


def _texts(content: str, path: str) -> tuple[str, str]:
    lines = [line for line in map(str.strip, content.splitlines()) if line and not line.startswith("#")]
    named = [_NAMED.fullmatch(line) for line in lines]
    if any(named):
        found = {match[1]: match[2].strip("\"'") for match in named if match is not None}
        lines = [found[name] for name in (KEY_VARIABLE, SECRET_VARIABLE) if name in found]
    if len(lines) != 2:
        raise ConfigError("credentials file", expected=_FORMAT, found=path)
    return lines[0], lines[1]
