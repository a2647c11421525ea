"""Leads the names of Kraken's hosts to the local Kraken, for clients that have them as constants.

usage: by_name.py PROGRAM [arguments], a program of Python that is beside the interpreter
KRAKENWIRE_HOSTS is what `krakenwire venue --json --strict-hosts --tls-cert ... --tls-key ...` prints. Certificates are
checked as ever: SSL_CERT_FILE and REQUESTS_CA_BUNDLE name the authority.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_HOSTS = {"api": "rest", "ws": "ws_v2", "ws-auth": "ws_v2_private", "ws-l3": "ws_v2_level3"}
_REAL = socket.getaddrinfo


def led(addresses: Mapping[str, str]) -> Callable[..., Any]:
    """A `socket.getaddrinfo` that knows Kraken's hosts, each on its port, and nothing off this machine."""
    ports = {f"{name}.kraken.com": urlsplit(addresses[key]).port for name, key in _HOSTS.items()}

    def getaddrinfo(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name in ports:
            return _REAL("127.0.0.1", ports[name], *args, **more)
        if name in (None, "localhost", "127.0.0.1"):
            return _REAL(host, port, *args, **more)
        raise socket.gaierror(socket.EAI_NONAME, f"not a host of the local Kraken: {name}")

    return getaddrinfo


if __name__ == "__main__":
    socket.getaddrinfo = led(json.loads(os.environ["KRAKENWIRE_HOSTS"]))
    program = Path(sys.executable).with_name(sys.argv[1])
    sys.argv[:] = [str(program), *sys.argv[2:]]
    runpy.run_path(str(program), run_name="__main__")
