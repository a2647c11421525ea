"""Spellings of one instrument: v2 (`BTC/USD`), v1 (`XBT/USD`), REST (`XXBTZUSD`, `XBTUSD`).

Inside krakenwire there is only the v2 spelling; everything a person or an old
program may write is turned into it here, and a refusal is explained in the
words the person used. Nothing is guessed: a spelling that fits no rule is a
`SymbolError`. Source: v2 reference, sections 2.7 and 11.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from krakenwire.errors import SymbolError

__all__ = ["asset_name", "explain_refusal", "rest_altname", "rest_asset", "rest_key", "to_v1", "to_v2"]

_SYMBOL_CHARS_MAX = 32
_ALLOWED = re.compile(r"[A-Za-z0-9.]+(/[A-Za-z0-9.]+)?", re.ASCII)
_TOKENISED = re.compile(r"[A-Z0-9.]+x", re.ASCII)

_V2_BY_V1 = {"XBT": "BTC", "XDG": "DOGE"}
_V1_BY_V2 = {v2: v1 for v1, v2 in _V2_BY_V1.items()}

_OLD_BASES = ("XBT", "XDG", "ETC", "ETH", "ICN", "LTC", "MLN", "REP", "XLM", "XMR", "XRP", "ZEC")
_OLD_MONEY = ("AUD", "CAD", "EUR", "GBP", "JPY", "USD")
_ASSET_BY_ID = {f"X{name}": name for name in _OLD_BASES} | {f"Z{name}": name for name in _OLD_MONEY}
_ID_BY_ASSET = {name: asset_id for asset_id, name in _ASSET_BY_ID.items()}

_QUOTES = (
    *("EUROP", "PYUSD", "RLUSD"),
    *("USD1", "USDC", "USDD", "USDQ", "USDR", "USDT"),
    *("AED", "AUD", "BTC", "CAD", "CHF", "DAI", "ETH", "EUR", "GBP", "JPY", "SOL", "USD", "XBT"),
)
"""Quote currencies of slashless names, longest first: `SPKUSD` ends in USD, `XBTPYUSD` in PYUSD."""

_PREFIXED = {
    "EUR": "ZEC ETC ETH LTC MLN REP XBT XLM XMR XRP",
    "USD": "ZEC ETC ETH LTC MLN REP XBT XLM XMR XRP EUR GBP USDT",
    "XBT": "ETC ETH LTC MLN XDG XLM XMR XRP",
    "CAD": "ETH XBT XRP USD",
    "JPY": "ETH LTC XBT USD",
    "GBP": "ETH XBT XLM",
    "ETH": "ETC",
    "EUROP": "XBT",
    "USDQ": "XBT",
    "USDR": "XBT",
}
"""Pairs old enough to have prefixes in their REST key; all others use their altname."""


def to_v2(text: str, known: Collection[str] | None = None) -> str:
    """Return the v2 spelling of whatever spelling of an instrument was written.

    Accepts ``BTC/USD``, ``XBT/USD``, ``XBTUSD``, ``XXBTZUSD``, ``DOGEUSD``,
    ``xdg/usd``. Tokenised equities keep their case: ``TSLAx/USD``.

    Args:
        text: one of the spellings above, any case.
        known: the v2 symbols the venue lists, when we have them; then the
            result is one of them.

    Raises:
        SymbolError: says what was written, what we made of it, what to write.
    """
    written = text.strip()
    _check_spelling(text, written)
    found = next((symbol for symbol in _candidates(written) if known is None or symbol in known), None)
    if found is None and known is not None:
        found = _same_but_for_case(written, known)
    if found is None:
        raise _unknown(written, known)
    return found


def to_v1(symbol: str) -> str:
    """Return the v1 spelling (REST calls it `wsname`) of a v2 symbol.

    Raises:
        SymbolError: not of the form ``BASE/QUOTE``.
    """
    base, quote = _halves(symbol)
    return f"{base}/{quote}"


def rest_altname(symbol: str) -> str:
    """Return the short REST name of a v2 symbol: ``BTC/USD`` is ``XBTUSD``.

    Raises:
        SymbolError: not of the form ``BASE/QUOTE``.
    """
    base, quote = _halves(symbol)
    return base + quote


def rest_key(symbol: str) -> str:
    """Return the key of a v2 symbol in REST answers: ``BTC/USD`` is ``XXBTZUSD``.

    Raises:
        SymbolError: not of the form ``BASE/QUOTE``.
    """
    base, quote = _halves(symbol)
    if base in _PREFIXED.get(quote, "").split():
        return _ID_BY_ASSET.get(base, base) + _ID_BY_ASSET.get(quote, quote)
    return base + quote


def rest_asset(asset: str) -> str:
    """Return the REST id of a v2 asset: ``BTC`` is ``XXBT``, ``USD`` is ``ZUSD``, ``SOL`` stays."""
    name = _V1_BY_V2.get(asset, asset)
    return _ID_BY_ASSET.get(name, name)


def asset_name(text: str) -> str:
    """Return the v2 name of an asset by any of its names: ``XXBT`` and ``XBT`` are ``BTC``."""
    return _asset(text)


def explain_refusal(written: str, sent: str) -> str:
    """Return a sentence for a symbol the venue refused.

    Args:
        written: what the user wrote.
        sent: the symbol in the refusal, in any spelling.

    Returns:
        Text such as ``you wrote XBT/FOO, v2 calls it BTC/FOO``; never empty.
    """
    try:
        v2 = to_v2(sent)
    except SymbolError:
        v2 = sent
    if written == v2:
        return f"the venue does not list {v2}: see the `instrument` channel for what it lists"
    return f"you wrote {written}, v2 calls it {v2}"


def _check_spelling(text: str, written: str) -> None:
    if not written:
        raise SymbolError("the symbol is empty", hint="Write BASE/QUOTE, for example BTC/USD")
    if len(written) > _SYMBOL_CHARS_MAX:
        raise SymbolError(
            "the symbol is too long", expected=f"at most {_SYMBOL_CHARS_MAX} characters", found=f"{len(text)} of them"
        )
    if written.lower().endswith(".d"):
        raise SymbolError(f"you wrote '{written}'", hint="Dark pool instruments (.d) have no market data")
    if not _ALLOWED.fullmatch(written):
        raise SymbolError("not a symbol", expected="BASE/QUOTE such as BTC/USD", found=text)


def _asset(name: str) -> str:
    """The v2 name of one asset, from a v2, v1 or REST name; tokenised ones keep their case."""
    if _TOKENISED.fullmatch(name):
        return name
    upper = name.upper()
    upper = _ASSET_BY_ID.get(upper, upper)
    return _V2_BY_V1.get(upper, upper)


def _candidates(written: str) -> Iterator[str]:
    """What a spelling may mean, likeliest first."""
    base, slash, quote = written.partition("/")
    splits = [(base, quote)] if slash else _splits(written)
    for left, right in splits:
        symbol = f"{_asset(left)}/{_asset(right.upper())}"
        if symbol.partition("/")[0] != symbol.partition("/")[2]:
            yield symbol


def _splits(written: str) -> list[tuple[str, str]]:
    """Every way to cut a slashless name before a quote currency."""
    upper = written.upper()
    found = []
    if upper[:4] in _ASSET_BY_ID and (upper[4:] in _ASSET_BY_ID or upper[4:] in _QUOTES):
        found.append((upper[:4], upper[4:]))
    if upper[-4:] in _ASSET_BY_ID and upper[:-4] == "USDT":
        found.append((upper[:-4], upper[-4:]))
    cuts = [(written[: -len(quote)], quote) for quote in _QUOTES if upper.endswith(quote) and upper != quote]
    cuts.sort(key=lambda cut: len(cut[1]) > 3 and len(cut[0]) < 3)  # MERLUSD is MERL/USD, not ME/RLUSD
    return found + cuts


def _same_but_for_case(written: str, known: Collection[str]) -> str | None:
    wanted = {symbol.upper() for symbol in _candidates(written)}
    return next((symbol for symbol in known if symbol.upper() in wanted), None)


def _unknown(written: str, known: Collection[str] | None) -> SymbolError:
    meant = next(_candidates(written), None)
    if meant is None:
        hint = "Write BASE/QUOTE with a slash, for example BTC/USD"
        return SymbolError(f"you wrote '{written}'; it does not end in a quote currency we know", hint=hint)
    base, _, quote = meant.partition("/")
    near = [s for s in sorted(known or ()) if s.partition("/")[0] == base or s.partition("/")[::2] == (quote, base)]
    hint = f"It does list {', '.join(near[:5])}" if near else "The `instrument` channel tells what it lists"
    what = f"you wrote '{written}', v2 calls it {meant}" if meant != written else f"you wrote '{written}'"
    return SymbolError(f"{what}; this venue does not list it", hint=hint)


def _halves(symbol: str) -> tuple[str, str]:
    """Both halves of a v2 symbol in their v1 spelling."""
    base, slash, quote = symbol.partition("/")
    if not (base and slash and quote) or "/" in quote:
        raise SymbolError("not a v2 symbol", expected="BASE/QUOTE such as BTC/USD", found=symbol)
    return _V1_BY_V2.get(base, base), _V1_BY_V2.get(quote, quote)
