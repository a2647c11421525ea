"""The page about JSON lines says what the lines are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.unit.cli.bot_values import ROWS

from krakenwire.cli.bot_lines import row_json
from krakenwire.trading.run_records import RunRow

PAGE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "bot-view.md"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_the_page_names_the_members_of_each_kind_in_their_order(row: RunRow) -> None:
    told = list(json.loads(row_json(row)).items())
    line = re.search(rf"^\| `{told[0][1]}` \|[^|]*\|(.*)\|$", PAGE.read_text(), re.MULTILINE)
    assert line is not None
    assert re.findall(r"`(\w+)`", line[1]) == [name for name, _ in told[3:]]
