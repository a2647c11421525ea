"""WebSocket text frames as bytes, made once for all connections that receive them.

A server's frames are unmasked (RFC 6455, section 5.1), so one encoding serves
everyone. Never splits a message: one message is one frame.
"""

from __future__ import annotations

import struct

__all__ = ["text_frame", "text_of"]

_FIN_TEXT = 0x81


def text_frame(text: str) -> bytes:
    """Return the unmasked text frame of one message. Source: RFC 6455, section 5.2."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", _FIN_TEXT, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", _FIN_TEXT, 126, size)
    else:
        head = struct.pack("!BBQ", _FIN_TEXT, 127, size)
    return head + payload


def text_of(frame: bytes) -> str:
    """Return the message of a frame that `text_frame` made."""
    head = {126: 4, 127: 10}.get(frame[1], 2)
    return frame[head:].decode()
