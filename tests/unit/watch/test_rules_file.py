"""A rules file says what it means, and every mistake in it is named: file, rule, key, expected, found."""

from __future__ import annotations

import tomllib
from decimal import Decimal

import pytest
from tests.unit.watch.events import SECOND

from krakenwire.errors import ConfigError
from krakenwire.watch import Above, Amount, Crosses, Move, NoData, RulesFile, SpreadWider, Volume, rules_from

D = Decimal


def parsed(text: str) -> RulesFile:
    return rules_from(tomllib.loads(text, parse_float=D), "my.toml")


def complaint(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parsed(text)
    return str(caught.value)


def complaint_of_rule(lines: str) -> str:
    return complaint(f'[[rule]]\nsymbol = "BTC/USD"\n{lines}')


@pytest.mark.parametrize(
    ("lines", "condition"),
    [
        ("above = 70000.10", Above(D("70000.10"))),
        ('crosses = 65000\nhysteresis = "0.1%"', Crosses(D(65000), D(65))),
        ('move = "2%"\nwindow = "5m"', Move(D(2), 300 * SECOND)),
        ('move = 2\nwindow = 90\ndirection = "up"', Move(D(2), 90 * SECOND, "up")),
        ("spread_wider = 5\nhysteresis = 1", SpreadWider(Amount(D(5)), D(1))),
        ('spread_wider = "10bps"', SpreadWider(Amount(D(10), "bps"))),
        ('volume = 100\nwindow = "1h30m"', Volume(D(100), 5400 * SECOND)),
        ('no_data = "1.5s"', NoData(3 * SECOND // 2)),
    ],
)
def test_each_condition_is_read_exactly(lines: str, condition: object) -> None:
    (rule,) = parsed(f'[[rule]]\nsymbol = "XBT/USD"\n{lines}').rules
    assert rule.condition == condition
    assert rule.symbol == "BTC/USD"


def test_defaults_apply_where_they_mean_something() -> None:
    read = parsed(
        """
        [defaults]
        price = "mid"
        window = "1m"
        cooldown = "10s"
        [notify]
        urls = ["json://example.com/secret"]
        bell = true
        [[rule]]
        symbols = ["BTC/USD", "ETH/USD"]
        above = 1
        [[rule]]
        symbol = "BTC/USD"
        volume = 1
        cooldown = 0
        notify = []
        run = ["echo", "hello"]
        """
    )
    first, second, third = read.rules
    assert [first.symbol, second.symbol] == ["BTC/USD", "ETH/USD"]
    assert (first.price, first.cooldown_ns, str(first.notify)) == ("mid", 10 * SECOND, "(json://***,)")
    assert (third.price, third.cooldown_ns, third.notify, third.run) == ("last", 0, (), ("echo", "hello"))
    assert third.condition == Volume(D(1), 60 * SECOND)
    assert read.bell


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("abov = 1", ['my.toml: rule 1: "abov"', "Did you mean", '"above"']),
        ("", ["rule 1", "exactly one of above", "found none"]),
        ("above = 1\nbelow = 2", ["rule 1", "exactly one of", "above and below"]),
        ('above = "nan"', ['"above"', "a number above zero", "nan"]),
        ("above = nan", ['"above"', "a number above zero", "NaN"]),
        ("above = inf", ['"above"', "a number above zero"]),
        ("above = -1", ['"above"', "found -1"]),
        ("above = 0", ['"above"', "found 0"]),
        ("above = 1e400", ['"above"', "out of range"]),
        ("above = true", ['"above"', "found true"]),
        ("above = [1]", ['"above"', "a number"]),
        ('above = ""', ['"above"', "a number"]),
        ("above = 5\nhysteresis = 5", ['"hysteresis"', "less than 5"]),
        ("above = 5\nhysteresis = -1", ['"hysteresis"', "found -1"]),
        ('above = 5\nwindow = "5m"', ['"window"', "with above", "hysteresis, price"]),
        ('no_data = 5\nprice = "bid"', ['"price"', "with no_data"]),
        ('move = "2%"', ['"window"', "found none"]),
        ('move = "2bps"\nwindow = "5m"', ['"move"', "0.5%", "2bps"]),
        ('move = "2%"\nwindow = "5 minutes"', ['"window"', '"5m"', "5 minutes"]),
        ('move = "2%"\nwindow = "9999d"', ['"window"', "at most", "9999d"]),
        ('move = "2%"\nwindow = 0', ['"window"', "found 0"]),
        ('move = "2%"\nwindow = "5m"\ndirection = "upp"', ['"direction"', "up, down, either", 'Did you mean "up"']),
        ('above = 1\nprice = "lst"', ['"price"', "last, bid, ask, mid", 'Did you mean "last"']),
        ('above = 1\none_shot = "yes"', ['"one_shot"', "true or false", "yes"]),
        ("above = 1\nname = 5", ['"name"', "text in quotes", "found 5"]),
        ('above = 1\nmessage = "{prise}"', ['"message"', "{price}", "{prise}"]),
        ('above = 1\nnotify = ["hunter2"]', ['"notify"', "mailto://"]),
        ("above = 1\nrun = []\ncooldown = -1", ['"cooldown"', "found -1"]),
        ('above = 1\nrun = ["a", 5]', ['"run"', "a command and its arguments"]),
        ('above = 1\nsymbols = ["ETH/USD"]', ['"symbol"', "either", "both"]),
    ],
)
def test_a_mistake_in_a_rule_is_named(lines: str, words: list[str]) -> None:
    text = complaint_of_rule(lines)
    assert all(word in text for word in ["my.toml: rule 1", *words]), text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["my.toml: no rules", "[[rule]]", "nothing"]),
        ("rule = 5", ["my.toml: no rules", "[[rule]]", "5"]),
        ("[[rules]]\nabove = 1", ['"rules"', 'Did you mean "rule"']),
        ("[defaults]\nabove = 1\n[[rule]]", ['[defaults]: "above"']),
        ("defaults = 5\n[[rule]]", ['"defaults"', "a table [defaults]"]),
        ("[notify]\nurl = []\n[[rule]]", ['[notify]: "url"', 'Did you mean "urls"']),
        ('[notify]\nurls = ["x"]\n[[rule]]', ['[notify]: "urls"']),
        ('[notify]\nbell = 1\n[[rule]]\nsymbol = "BTC/USD"\nabove = 1', ['[notify]: "bell"', "true or false"]),
        ("[[rule]]\nabove = 1", ["rule 1", '"symbol"', "neither"]),
        ("[[rule]]\nsymbols = []\nabove = 1", ["rule 1", '"symbols"', "an empty list"]),
        ('[[rule]]\nsymbol = "BTC_USD"\nabove = 1', ["rule 1", '"symbol"', "BTC/USD", "BTC_USD"]),
        ('[[rule]]\nsymbol = "BTC/USD"\nabove = 1\n[[rule]]\nsymbol = "BTC/USD"\nbelow = -1', ["rule 2", '"below"']),
    ],
)
def test_a_mistake_in_the_file_is_named(text: str, words: list[str]) -> None:
    found = complaint(text)
    assert all(word in found for word in words), found


def test_a_float_from_a_program_is_refused_because_it_is_not_exact() -> None:
    with pytest.raises(ConfigError, match="not exact"):
        rules_from({"rule": [{"symbol": "BTC/USD", "above": 0.1}]}, "a program")


def test_an_address_with_a_password_shows_itself_without() -> None:
    (rule,) = parsed('[[rule]]\nsymbol="BTC/USD"\nabove=1\nnotify=["mailto://me:hunter2@example.com"]').rules
    assert "hunter2" not in repr(rule)
    assert rule.notify[0].reveal() == "mailto://me:hunter2@example.com"
