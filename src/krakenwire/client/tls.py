"""The one place that decides what certificate is trusted.

System trust, TLS 1.2 or newer, host name checked, server name sent. A CA file
adds to that; checking can be turned off for addresses of this machine only,
and the log says so.
"""

from __future__ import annotations

import logging
import ssl
from os import PathLike, fspath

from krakenwire.client.environments import is_loopback
from krakenwire.errors import ConfigError

__all__ = ["client_context"]

_log = logging.getLogger("krakenwire.client")


def client_context(
    *, ca_file: str | PathLike[str] | None = None, insecure: bool = False, host: str = ""
) -> ssl.SSLContext:
    """Return the TLS settings for one client.

    Args:
        ca_file: PEM file of certificates to trust besides the system's.
        insecure: trust anything; loopback addresses only.
        host: the host that will be connected to.

    Raises:
        ConfigError: `ca_file` cannot be read or holds no certificate; `insecure` for another host.
    """
    if insecure and not is_loopback(host):
        raise ConfigError(
            "insecure=True", expected="an address of this machine", found=host, hint="Use ca_file= for a private CA."
        )
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        _add_ca(context, fspath(ca_file))
    if insecure:
        _log.warning("the certificate of %s is not checked: insecure=True", host)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _add_ca(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise ConfigError("ca_file", expected="a PEM file with a certificate", found=path) from error
    except OSError as error:
        raise ConfigError("ca_file", expected="a file that can be read", found=f"{path} ({error.strerror})") from error
