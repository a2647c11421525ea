"""How far doing again what was kept has got: said late, rarely, and given up when somebody wants it to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from krakenwire.apps.kept_venue import GivenUp, KeptVenue, Restoring
from krakenwire.apps.served_venue import ServedVenue
from krakenwire.model import CancelAll
from krakenwire.venue import VenueConfig

SECOND = 1_000_000_000
T0 = 1_790_000_000 * SECOND
CONFIG = VenueConfig(symbols=["BTC/USD"], rate=1, start_ns=T0)


class Told:
    """What was said, and a clock for which so much passes each time it is read."""

    def __init__(self, tick_ns: int) -> None:
        self.shares: list[float] = []
        self.over = False
        self._tick_ns, self._now_ns = tick_ns, 0

    def clock_ns(self) -> int:
        self._now_ns += self._tick_ns
        return self._now_ns

    def restoring(self, kept: KeptVenue) -> Restoring:
        return Restoring(kept, self.shares.append, lambda: self.over, self.clock_ns)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a venue that lived for an hour, and in which somebody looked three times."""
    kept = KeptVenue(tmp_path, CONFIG)
    served = ServedVenue(CONFIG, kept)
    for minutes in (10, 40, 60):
        for _ in served.step(T0 + minutes * 60 * SECOND):
            pass
        served.act("whale", CancelAll(), T0 + minutes * 60 * SECOND)
    kept.close()
    return tmp_path


def test_the_share_of_a_long_restart_is_told_and_grows_to_all_of_it(folder: Path) -> None:
    told, kept = Told(SECOND), KeptVenue(folder, CONFIG)
    ServedVenue(CONFIG, kept, progress=told.restoring(kept))
    kept.close()
    assert len(told.shares) > 20, "not only with each record: an hour of the crowd lies between them"
    assert told.shares == sorted(told.shares)
    assert told.shares[-1] == 1


def test_nothing_is_told_of_a_short_restart(folder: Path) -> None:
    told, kept = Told(1), KeptVenue(folder, CONFIG)
    ServedVenue(CONFIG, kept, progress=told.restoring(kept))
    kept.close()
    assert told.shares == []


def test_a_restart_is_given_up_when_it_is_over(folder: Path) -> None:
    told, kept = Told(SECOND), KeptVenue(folder, CONFIG)
    count, told.over = len(kept.journal), True
    with pytest.raises(GivenUp):
        ServedVenue(CONFIG, kept, progress=told.restoring(kept))
    assert len(kept.journal) == count
    kept.close()
    told.over = False
    kept = KeptVenue(folder, CONFIG)
    assert ServedVenue(CONFIG, kept, progress=told.restoring(kept)).restored == count - 1
    kept.close()
