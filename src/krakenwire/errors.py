"""Every exception krakenwire raises on purpose, as one tree.

    KrakenwireError
    ├── UsageError                 the caller asked for something that cannot be
    │   ├── ConfigError            a setting, a rules file, a command line
    │   ├── SymbolError            a spelling that names no instrument
    │   ├── OrderCheckError        an order that the venue would refuse, not sent
    │   └── MissingExtraError      an optional part is not installed
    ├── TransportError             bytes did not get through
    │   ├── ConnectError           no connection: name, route, refusal
    │   ├── TlsError               the certificate or the handshake was not trusted
    │   ├── HandshakeError         HTTP answered, but not with a WebSocket
    │   ├── HttpRefusal            HTTP turned a REST call away
    │   ├── ConnectionLost         an open connection ended
    │   ├── SilenceError           nothing arrived for too long
    │   ├── ConnectionBudgetError  too many attempts in the window
    │   └── WaitTimeout            the time the caller allowed ran out
    ├── ProtocolViolation          the peer sent what the protocol does not allow
    │   ├── DecodeError            not JSON, or a known member of the wrong type
    │   └── FrameTooBig            beyond a stated limit
    ├── IntegrityError             the data contradicts itself
    │   ├── ChecksumMismatch       book and checksum differ
    │   ├── StaleData              a book was read while it is not live
    │   ├── ListingMismatch        a number does not fit the ticks or lots of its instrument
    │   └── ListingChanged         the venue changed the decimals of an instrument that is in use
    ├── JournalError               what was promised to be kept cannot be written, or cannot be read
    │   ├── JournalBusy            another process has it open
    │   └── JournalDamaged         what stands in it is not what was written
    ├── TapeError                  a tape cannot be written, or cannot be read
    │   └── TapeDamaged            what stands on it is not what was written
    ├── RiskRefusal                a limit of the user's own: the order was not sent
    ├── StrategyError              a strategy's own code failed
    ├── VenueRefusal               the venue said no, in its own words
    ├── OutcomeUnknown             a request about orders was sent, and what became of it is not known
    ├── PermissionMissing          an API key may not do what is wanted of it
    ├── AnswerLost                 a call may have been carried out: what came back does not say
    ├── SlowConsumer               a consumer fell behind its bound
    ├── StreamEnded                a stream or client was closed; nothing more will come
    └── InternalError              our own invariant broke: a bug

Errors carry fields and compute their text from them; nobody parses text.
`retryable` says whether trying again can help; `outcome_known` whether the
fate of the request is certain. Foreign exceptions are translated once, at the
edge, with `from`.
"""

from __future__ import annotations

__all__ = [
    "AnswerLost",
    "ChecksumMismatch",
    "ConfigError",
    "ConnectError",
    "ConnectionBudgetError",
    "ConnectionLost",
    "DecodeError",
    "FrameTooBig",
    "HandshakeError",
    "HttpRefusal",
    "IntegrityError",
    "InternalError",
    "JournalBusy",
    "JournalDamaged",
    "JournalError",
    "KrakenwireError",
    "ListingChanged",
    "ListingMismatch",
    "MissingExtraError",
    "OrderCheckError",
    "OutcomeUnknown",
    "PermissionMissing",
    "ProtocolViolation",
    "RiskRefusal",
    "SilenceError",
    "SlowConsumer",
    "StaleData",
    "StrategyError",
    "StreamEnded",
    "SymbolError",
    "TapeDamaged",
    "TapeError",
    "TlsError",
    "TransportError",
    "UsageError",
    "VenueRefusal",
    "WaitTimeout",
]

_EXCERPT_CHARS = 120


def excerpt(text: str | bytes) -> str:
    """Return the first characters of peer text, printable on one line."""
    if isinstance(text, bytes):
        text = text[: 4 * _EXCERPT_CHARS].decode("utf-8", "backslashreplace")
    shown = text if len(text) <= _EXCERPT_CHARS else text[:_EXCERPT_CHARS] + "…"
    return shown.encode("unicode_escape").decode("ascii")


class KrakenwireError(Exception):
    """Root of the tree: catch this to catch everything krakenwire raises."""

    retryable = False
    outcome_known = True


class UsageError(KrakenwireError):
    """The caller asked for something that cannot be.

    Args:
        what: the argument or setting, as the caller knows it.
        expected: what would have been accepted.
        found: what was given.
        hint: what to do, one sentence.
    """

    def __init__(self, what: str, *, expected: str = "", found: object = None, hint: str = "") -> None:
        self.what, self.expected, self.found, self.hint = what, expected, found, hint
        parts = [what]
        if expected:
            parts.append(f"expected {expected}")
        if found is not None:
            parts.append(f"found {excerpt(str(found))!s}")
        text = ": ".join(parts[:1]) + (": " + ", ".join(parts[1:]) if parts[1:] else "")
        super().__init__(f"{text}. {hint}" if hint else text)


class ConfigError(UsageError):
    """A setting, a rules file or a command line is not acceptable."""


class SymbolError(UsageError):
    """A spelling that names no instrument, with what we made of it."""


class OrderCheckError(UsageError):
    """An order that the venue would refuse: it was not sent.

    Args:
        error: the text the venue would have refused it with.
        what, expected, found, hint: as `UsageError`.
    """

    def __init__(self, error: str, what: str, *, expected: str = "", found: object = None, hint: str = "") -> None:
        self.error = error
        super().__init__(f"{what} ({error})", expected=expected, found=found, hint=hint)


class MissingExtraError(UsageError):
    """An optional part is not installed.

    Args:
        feature: what the caller wanted.
        extra: the extra that brings it, as in ``pip install 'krakenwire[extra]'``.
    """

    def __init__(self, feature: str, extra: str) -> None:
        self.feature, self.extra = feature, extra
        super().__init__(feature, hint=f"This needs an optional part: pip install 'krakenwire[{extra}]'")


class TransportError(KrakenwireError):
    """Bytes did not get through.

    Args:
        url: the address concerned.
        reason: why, in a few words.
        hint: what to do, one sentence.
    """

    retryable = True

    def __init__(self, url: str, reason: str, *, hint: str = "") -> None:
        self.url, self.reason, self.hint = url, reason, hint
        text = f"{url}: {reason}" if url else reason
        super().__init__(f"{text}. {hint}" if hint else text)


class ConnectError(TransportError):
    """No connection could be made: unknown name, no route, refused, timed out."""


class TlsError(TransportError):
    """The certificate or the TLS handshake was not trusted."""

    retryable = False


class HandshakeError(TransportError):
    """HTTP answered the upgrade, but not with a WebSocket.

    429 and 503 are worth another try later; other codes are not.
    """

    def __init__(self, url: str, status: int, *, hint: str = "") -> None:
        self.status = status
        self.retryable = status in (429, 503)
        super().__init__(url, f"the WebSocket handshake was answered with HTTP {status}", hint=hint)


class HttpRefusal(TransportError):
    """HTTP turned a REST call away before the service read it: nothing was carried out.

    429 is worth another try later; other codes are not.
    """

    def __init__(self, url: str, status: int, *, hint: str = "") -> None:
        self.status = status
        self.retryable = status == 429
        super().__init__(url, f"the call was answered with HTTP {status}", hint=hint)


class ConnectionLost(TransportError):
    """An open connection ended.

    Args:
        code: the WebSocket close code, 1006 when there was none.
    """

    def __init__(self, url: str, reason: str, *, code: int = 1006, hint: str = "") -> None:
        self.code = code
        super().__init__(url, f"{reason} (close code {code})", hint=hint)


class SilenceError(TransportError):
    """Nothing arrived for too long on a connection that should speak."""


class ConnectionBudgetError(TransportError):
    """The attempts allowed in the window are used up; the client stays down."""

    retryable = False


class WaitTimeout(TransportError):
    """The time the caller allowed ran out; the connection itself may be well."""


class ProtocolViolation(KrakenwireError):
    """The peer sent what the protocol does not allow.

    Args:
        reason: what is wrong with it.
        frame: the text or bytes concerned; only an excerpt is kept.
    """

    def __init__(self, reason: str, frame: str | bytes = "") -> None:
        self.reason, self.frame = reason, excerpt(frame)
        super().__init__(f"{reason}: {self.frame}" if frame else reason)


class DecodeError(ProtocolViolation):
    """A frame that is not JSON, or a known member with a value of the wrong type."""


class FrameTooBig(ProtocolViolation):
    """A frame beyond the stated limit.

    Args:
        size: bytes found.
        limit: bytes allowed.
    """

    def __init__(self, size: int, limit: int) -> None:
        self.size, self.limit = size, limit
        super().__init__(f"frame of {size} bytes, the limit is {limit}")


class IntegrityError(KrakenwireError):
    """The data contradicts itself."""

    retryable = True


class ChecksumMismatch(IntegrityError):
    """The book we hold and the checksum that came with the message differ."""

    def __init__(self, symbol: str, expected: int, found: int) -> None:
        self.symbol, self.expected, self.found = symbol, expected, found
        super().__init__(f"{symbol}: the venue's checksum is {expected}, ours is {found}")


class StaleData(IntegrityError):
    """A book was read while it is not live.

    Args:
        symbol: the book's symbol.
        state: what it is instead: ``empty`` or ``resyncing``.
    """

    def __init__(self, symbol: str, state: str) -> None:
        self.symbol, self.state = symbol, state
        super().__init__(f"the book of {symbol} is {state}, not live: wait for its next snapshot")


class ListingMismatch(IntegrityError):
    """A number that does not fit the ticks or lots its instrument is held in; nothing was rounded.

    Args:
        symbol: v2 spelling.
        what: ``price`` or ``quantity``.
        text: the number.
        decimals: how many the instrument is held with.
        needed: how many the number has; not more than `decimals` where it is too large for an integer of 18 digits.
    """

    def __init__(self, symbol: str, what: str, text: str, decimals: int, needed: int) -> None:
        self.symbol, self.what, self.text, self.decimals, self.needed = symbol, what, text, decimals, needed
        super().__init__(f"{symbol}: the {what} {excerpt(text)} does not fit 18 digits with {decimals} decimals")


class ListingChanged(IntegrityError):
    """The venue changed the decimals of an instrument whose ticks and lots are in use.

    Args:
        symbol: v2 spelling.
        before, after: decimals of price and quantity.
    """

    def __init__(self, symbol: str, before: tuple[int, int], after: tuple[int, int]) -> None:
        self.symbol, self.before, self.after = symbol, before, after
        super().__init__(
            f"{symbol}: the venue changed its decimals of price and quantity from {before[0]} and {before[1]} "
            f"to {after[0]} and {after[1]}"
        )


class JournalError(KrakenwireError):
    """What was promised to be kept cannot be written, or cannot be read.

    Args:
        path: the journal.
        reason: why, in a few words.
        hint: what to do, one sentence.
    """

    def __init__(self, path: str, reason: str, *, hint: str = "") -> None:
        self.path, self.reason, self.hint = path, reason, hint
        text = f"{path}: {reason}"
        super().__init__(f"{text}. {hint}" if hint else text)


class JournalBusy(JournalError):
    """Another process has the journal open: two writers would destroy it."""


class JournalDamaged(JournalError):
    """A record inside the journal is not what was written; nothing of it was touched.

    Args:
        offset: of the first bad byte range in the file.
    """

    def __init__(self, path: str, reason: str, offset: int) -> None:
        self.offset = offset
        super().__init__(path, f"{reason} at byte {offset}", hint="Keep the file, and go on from a backup of it")


class TapeError(KrakenwireError):
    """A tape cannot be written, or cannot be read.

    Args:
        path: the folder or file.
        reason: why, in a few words.
        hint: what to do, one sentence.
    """

    def __init__(self, path: str, reason: str, *, hint: str = "") -> None:
        self.path, self.reason, self.hint = path, reason, hint
        text = f"{path}: {reason}"
        super().__init__(f"{text}. {hint}" if hint else text)


class TapeDamaged(TapeError):
    """A record inside a tape is not what was written; nothing of it was touched.

    Args:
        offset: of the first bad byte range in the file.
    """

    def __init__(self, path: str, reason: str, offset: int, *, hint: str = "") -> None:
        self.offset = offset
        super().__init__(path, f"{reason} at byte {offset}", hint=hint)


class RiskRefusal(KrakenwireError):
    """An order breaks a limit that its user has set: it was not sent.

    Args:
        rule: the name of the limit, as in the configuration.
        limit: what it allows.
        found: what the order would make of it.
        stops: whether the bot stops trading for it.
        others: the other limits that it breaks.
    """

    def __init__(
        self, rule: str, *, limit: object, found: object, stops: bool = False, others: tuple[RiskRefusal, ...] = ()
    ) -> None:
        self.rule, self.limit, self.found, self.stops, self.others = rule, limit, found, stops, others
        text = f"refused by {rule}: the limit is {limit}, found {found}" + ("; the bot stops" * stops)
        super().__init__(text + "".join(f"; also {other.rule}" for other in others))


class StrategyError(KrakenwireError):
    """A strategy's own code raised.

    Args:
        strategy: its name.
        callback: what was called.
        place: file and line.
        reason: the exception, as Python shows it on one line.
    """

    def __init__(self, strategy: str, callback: str, place: str, reason: str) -> None:
        self.strategy, self.callback, self.place, self.reason = strategy, callback, place, reason
        super().__init__(f"{strategy}.{callback} failed at {place}: {reason}")


class VenueRefusal(KrakenwireError):
    """The venue said no.

    Args:
        error: the venue's text, unchanged.
        method: the request it answers.
        symbol: the symbol concerned, if one was named.
        hint: our explanation, if we have one.
    """

    def __init__(self, error: str, *, method: str = "", symbol: str | None = None, hint: str = "") -> None:
        self.error, self.method, self.symbol, self.hint = error, method, symbol, hint
        where = f"{method} refused: " if method else ""
        super().__init__(f"{where}{error}. {hint}" if hint else f"{where}{error}")


class OutcomeUnknown(KrakenwireError):
    """A request about orders was sent, and what became of it is not known: it may have been carried out.

    Args:
        method: the request, as v2 names it.
        reason: why nobody knows, in a few words.
        hint: how to find out, one sentence.
    """

    outcome_known = False

    def __init__(self, method: str, reason: str, *, hint: str = "") -> None:
        self.method, self.reason, self.hint = method, reason, hint
        text = f"{method}: the outcome is unknown: {reason}"
        super().__init__(f"{text}. {hint}" if hint else text)


class PermissionMissing(KrakenwireError):
    """An API key may not do what is wanted of it; nothing was tried.

    Args:
        missing: what it lacks, as the venue calls it where keys are made.
    """

    def __init__(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        super().__init__(f"this API key lacks {'; '.join(missing)}. Switch it on where the venue lists its API keys")


class AnswerLost(KrakenwireError):
    """A call was sent, or part of it, and what came back does not say what became of it.

    What only reads may be asked again; of an order, look first whether it is there.

    Args:
        method: of the call.
        reason: why, in a few words.
    """

    outcome_known = False

    def __init__(self, method: str, reason: str) -> None:
        self.method, self.reason = method, reason
        super().__init__(f"{method}: {reason}. The venue may have carried it out: look before sending it again")


class SlowConsumer(KrakenwireError):
    """A consumer fell behind its bound and was ended, so that it hurts only itself."""

    def __init__(self, what: str, bound: int, unit: str) -> None:
        self.what, self.bound, self.unit = what, bound, unit
        super().__init__(f"{what} fell behind: more than {bound} {unit} were waiting")


class StreamEnded(KrakenwireError):
    """A stream, a queue or its client was closed in good order: nothing more will come."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"{what} was closed")


class InternalError(KrakenwireError):
    """One of our own invariants broke: please report it."""
