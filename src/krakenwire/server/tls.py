"""The server's TLS context from a certificate and a key file, or one clear error."""

from __future__ import annotations

import ssl

from krakenwire.errors import ConfigError

__all__ = ["server_tls"]


def server_tls(cert_file: str, key_file: str) -> ssl.SSLContext:
    """Return a context that serves with the given certificate chain.

    Args:
        cert_file: PEM file, the server's certificate first.
        key_file: PEM file with its private key.

    Raises:
        ConfigError: a file cannot be read, or they do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert_file, key_file)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            "TLS certificate",
            expected=f"a readable PEM certificate and its key in {cert_file} and {key_file}",
            found=error.strerror or error,
        ) from error
    return context
