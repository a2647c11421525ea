"""The setting `transport`: what each style can have, and what is said about what it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from krakenwire import Kraken, _native, aio, threaded
from krakenwire.client.options import LOOP_TRANSPORTS, THREAD_TRANSPORTS, Options
from krakenwire.errors import ConfigError, UsageError

THREADS: Any = (Kraken, threaded.Kraken)


def meant(wanted: str, transports: Any) -> str:
    return Options.checked("live", 2, {"transport": wanted}, transports).transport  # type: ignore[typeddict-item]


def test_a_client_in_threads_keeps_websocket_client_by_default() -> None:
    assert Options.checked("live", 2, {}).transport == meant("auto", THREAD_TRANSPORTS) == "websocket-client"


def test_an_asyncio_client_has_the_compiled_transport_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_native, "ENABLED", True)
    assert meant("auto", LOOP_TRANSPORTS) == meant("native", LOOP_TRANSPORTS) == "native"
    monkeypatch.setattr(_native, "ENABLED", False)
    assert meant("auto", LOOP_TRANSPORTS) == meant("picows", LOOP_TRANSPORTS) == "picows"


@pytest.mark.parametrize("style", THREADS)
@pytest.mark.parametrize("transport", ["auto", "websocket-client", "picows"])
def test_a_client_in_threads_can_have_either_library(style: Any, transport: str) -> None:
    style("live", transport=transport)


@pytest.mark.parametrize("style", [*THREADS, aio.Kraken])
@pytest.mark.parametrize("wrong", ["picow", "", None, 5, ["picows"]])
def test_what_is_no_transport_is_refused_with_those_there_are(style: Any, wrong: object) -> None:
    with pytest.raises(UsageError, match="picows"):
        style("live", transport=wrong)


def test_asyncio_cannot_have_websocket_client() -> None:
    with pytest.raises(UsageError, match="expected one of auto, native, picows, found websocket-client"):
        aio.Kraken("live", transport="websocket-client")


@pytest.mark.parametrize("style", [*THREADS, aio.Kraken])
@pytest.mark.parametrize(("built", "reason"), [(True, "KRAKENWIRE_PURE"), (False, "C compiler")])
def test_a_transport_that_is_not_built_in_is_refused_with_the_reason(
    style: Any, built: bool, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_native, "ENABLED", False)
    monkeypatch.setattr(_native, "BUILT", built)
    with pytest.raises(ConfigError, match=reason) as caught:
        style("live", transport="native")
    assert "picows" in str(caught.value)
