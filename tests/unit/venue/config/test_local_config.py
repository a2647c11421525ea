"""The configuration of a local Kraken: what each member means, and what is said about a wrong one."""

from __future__ import annotations

import base64
import tomllib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.errors import ConfigError
from krakenwire.model.rates import TIERS, RateLimit
from krakenwire.protocol.rest_sign import NONCE_MAX, secret_bytes, sign
from krakenwire.venue.access.keys import Keyring
from krakenwire.venue.access.pace import ATTEMPTS, LOCKOUT, MESSAGE_RATE, AccountLimits, BanRule
from krakenwire.venue.access.permissions import ALL_PERMISSIONS, Permission
from krakenwire.venue.config.local_config import FAULTS, LocalConfig, config_from, listing
from krakenwire.venue.config.venue_config import VenueConfig

SECOND = 1_000_000_000
CANARY = base64.b64encode(b"a secret that must never be seen in any text at all").decode()

FULL = f"""
[venue]
seed = 7
symbols = ["XBT/USD", "ETH/USD"]
thin = ["ETH/USD"]
rate = 12.5
status = "post_only"
strict_hosts = true
idle_close_s = 90
message_rate = {{ threshold = 10, decay_per_s = 2.5 }}
connection_attempts = true
lockout = {{ threshold = 3, ban_s = 30 }}

[[accounts]]
name = "alice"
tier = "starter"
balances = {{ USD = "1000.25", XBT = 2, ZEUR = 0.5 }}
fee_volume = 50000
fees = {{ taker = "0.26", maker = 0 }}
margin = true
limits = {{ open_orders = 5, rest = false, trading = {{ decay_per_s = 2 }} }}

[[accounts.keys]]
key = "alice one"
secret = "{CANARY}"
permissions = ["query_funds", "websocket"]
nonce_window = 1000
rate_limits = false

[[accounts.keys]]

[[accounts]]
name = "bob"
limits = false

[faults]
delay_ack_s = 0.25
lose_ack = 2
""".replace("alice one", "alice-one")


def read(toml: str) -> LocalConfig:
    return config_from(tomllib.loads(toml, parse_float=Decimal))


def refusal(document: object) -> str:
    with pytest.raises(ConfigError) as refused:
        listing(config_from(document))
    return str(refused.value)


def limit(threshold: str, decay_per_s: str) -> RateLimit:
    return RateLimit(Decimal(threshold), Decimal(decay_per_s))


# -- the default --------------------------------------------------------------------


def test_empty_document_is_one_demo_account_that_may_do_everything() -> None:
    config = read("")
    (demo,) = config.accounts
    (key,) = demo.keys
    assert (demo.name, demo.tier, demo.margin, demo.limits) == ("demo", "pro", False, AccountLimits.of("pro"))
    assert demo.balances["USD"] == 100_000
    assert demo.balances["BTC"] == 5
    assert (key.account, key.permissions, key.nonce_window) == ("demo", ALL_PERMISSIONS, NONCE_MAX)
    assert (len(key.key), len(secret_bytes(key.secret))) == (56, 64)
    assert (config.venue.message_rate, config.venue.lockout) == (MESSAGE_RATE, LOCKOUT)
    assert config.venue.connection_attempts is None
    assert not config.faults


def test_demo_key_follows_from_the_seed_alone() -> None:
    first, again, other = (read(f"[venue]\nseed = {seed}").accounts[0].keys[0] for seed in (1, 1, 2))
    assert (first.key, first.secret.reveal()) == (again.key, again.secret.reveal())
    assert first.key != other.key
    assert first.secret.reveal() != other.secret.reveal()


def test_demo_key_signs_calls_with_nonces_of_any_unit() -> None:
    (key,) = read("").accounts[0].keys
    ring = Keyring([key])
    for nonce in (1_800_000_000_000_000_000, 1_800_000_000, 1_800_000_000_000):
        body = f"nonce={nonce}".encode()
        header = sign("/0/private/Balance", str(nonce), body, key.secret)
        assert ring.check("/0/private/Balance", api_key=key.key, api_sign=header, body=body, now_ns=0) is key


def test_default_configuration_has_the_built_in_listing_and_a_ledger_for_every_balance() -> None:
    listed = listing(read('[venue]\nsymbols = ["BTC/USD"]'))
    assert [instrument.symbol for instrument in listed.instruments] == ["BTC/USD"]
    assert {"BTC", "USD", "ETH", "EUR", "LINK"} <= {asset.id for asset in listed.assets}
    assert listing(read("")).instruments == VenueConfig().listed


# -- every member -------------------------------------------------------------------------


def test_venue_section_says_everything_about_the_service() -> None:
    venue = read(FULL).venue
    assert (venue.seed, venue.symbols, venue.thin) == (7, ("XBT/USD", "ETH/USD"), ("ETH/USD",))
    assert (venue.rate, venue.status, venue.strict_hosts) == (Decimal("12.5"), "post_only", True)
    assert venue.idle_close_ns == 90 * SECOND
    assert venue.message_rate == limit("10", "2.5")
    assert venue.connection_attempts == ATTEMPTS
    assert venue.lockout == BanRule(limit("3", "0.2"), 30 * SECOND)


def test_limits_of_the_service_can_be_left_out() -> None:
    off = "message_rate = false\nlockout = false\nconnection_attempts = false\nidle_close_s = false"
    venue = read(f"[venue]\n{off}").venue
    assert (venue.message_rate, venue.lockout, venue.connection_attempts, venue.idle_close_ns) == (None,) * 4


def test_account_has_exact_balances_under_v2_names() -> None:
    alice, bob = read(FULL).accounts
    assert alice.balances == {"USD": Decimal("1000.25"), "BTC": Decimal(2), "EUR": Decimal("0.5")}
    assert (alice.name, alice.tier, alice.margin, alice.fee_volume) == ("alice", "starter", True, 50_000)
    assert alice.fees == (Decimal("0.26"), Decimal(0))
    assert (bob.tier, bob.margin, bob.balances, bob.fees, bob.keys) == ("pro", False, {}, None, ())


def test_limits_of_an_account_are_adjusted_one_by_one_or_left_out() -> None:
    alice, bob = read(FULL).accounts
    level3 = TIERS["starter"].level3
    assert alice.limits == AccountLimits(trading=limit("60", "2"), open_orders=5, rest=None, level3=level3)
    assert bob.limits == AccountLimits()
    on = read('[[accounts]]\nname = "carol"\ntier = "intermediate"\nlimits = true').accounts[0]
    assert on.limits == AccountLimits.of("intermediate")
    part = read('[[accounts]]\nname = "carol"\nlimits = { open_orders = false }').accounts[0]
    pro = TIERS["pro"]
    assert part.limits == AccountLimits(trading=pro.trading, open_orders=None, rest=pro.rest, level3=pro.level3)


def test_account_may_have_several_keys_and_they_may_be_made_up() -> None:
    given_key, made_up = read(FULL).accounts[0].keys
    assert (given_key.key, given_key.secret.reveal()) == ("alice-one", CANARY)
    assert given_key.permissions == {Permission.QUERY_FUNDS, Permission.WEBSOCKET}
    assert (given_key.nonce_window, given_key.rate_limited) == (1_000, False)
    assert (made_up.permissions, made_up.nonce_window, made_up.rate_limited) == (ALL_PERMISSIONS, 0, True)
    assert len(secret_bytes(made_up.secret)) == 64
    assert Keyring([given_key, made_up]).key(made_up.key) is made_up


def test_key_may_have_no_permission_at_all() -> None:
    assert read('[[accounts]]\nname = "a"\nkeys = [{ permissions = [] }]').accounts[0].keys[0].permissions == set()


def test_faults_are_figures_by_their_names() -> None:
    assert read(FULL).faults == {"delay_ack_s": Decimal("0.25"), "lose_ack": Decimal(2)}
    every = "\n".join(f"{name} = 1" for name in FAULTS)
    assert set(read(f"[faults]\n{every}").faults) == set(FAULTS)


def test_start_prices_are_by_v2_symbol() -> None:
    config = read('[instruments]\nfile = "pairs.json"\nstart_prices = { "XBT/USD" = 50000, SUIUSD = "3.5" }')
    assert config.instruments.file == "pairs.json"
    assert config.instruments.start_prices == {"BTC/USD": Decimal(50_000), "SUI/USD": Decimal("3.5")}


# -- what is wrong --------------------------------------------------------------------------

PLAIN: dict[str, Any] = {"name": "a"}


def account(**members: object) -> dict[str, Any]:
    return {"accounts": [PLAIN, {"name": "b", **members}]}


def key(**members: object) -> dict[str, Any]:
    return account(keys=[{}, {"key": "k", "secret": CANARY, **members}])


WRONG: list[tuple[object, str, str]] = [
    # the document, the path that is named, and what was expected or found
    ([], "the document", "expected a table, found a list"),
    ({"venues": {}}, "venues is not known", 'Did you mean "venue"?'),
    ({"venue": 5}, "venue", "expected a table, found 5"),
    ({"venue": {"sede": 5}}, "venue.sede is not known", 'Did you mean "seed"?'),
    ({"venue": {"seed": "x"}}, "venue.seed", 'a whole number from 0 to 9223372036854775807, found "x"'),
    ({"venue": {"seed": True}}, "venue.seed", "found true"),
    ({"venue": {"seed": -1}}, "venue.seed", "found -1"),
    ({"venue": {"seed": Decimal("1.5")}}, "venue.seed", "found 1.5"),
    ({"venue": {"symbols": "BTC/USD"}}, "venue.symbols", "a list of symbols"),
    ({"venue": {"symbols": []}}, "venue.symbols", "a list of symbols"),
    ({"venue": {"symbols": [5]}}, "venue.symbols", "a list of symbols"),
    ({"venue": {"symbols": ["FOO/BAR"]}}, "venue.symbols", "FOO/BAR"),
    ({"venue": {"thin": [""]}}, "venue.thin", "a list of symbols"),
    ({"venue": {"rate": 0}}, "venue.rate", "a number from 0.1 to 1000, found 0"),
    ({"venue": {"rate": 1.5}}, "venue.rate", "A float is not exact"),
    ({"venue": {"status": "offline"}}, "venue.status", "one of online, post_only"),
    ({"venue": {"strict_hosts": 1}}, "venue.strict_hosts", "true or false, found 1"),
    ({"tape": {"files": {"BTC/USD": 5}}}, "tape.files.BTC/USD", "the name of a CSV file"),
    ({"tape": {"files": {"nonsense": "a.csv"}}}, "tape.files.nonsense", "a symbol such as BTC/USD"),
    ({"tape": {"files": {"BTC/USD": "a.csv", "XBT/USD": "b.csv"}}}, "tape.files.XBT/USD", "each symbol once"),
    ({"tape": {"speed": 0}}, "tape.speed", "from 0.000001"),
    ({"tape": {"file": "a.csv"}}, "tape.file is not known", "files, speed"),
    ({"venue": {"idle_close_s": 0}}, "venue.idle_close_s", "from 1 to 86400"),
    ({"venue": {"message_rate": 5}}, "venue.message_rate", "a table, found 5"),
    ({"venue": {"message_rate": {"threshold": 0}}}, "venue.message_rate.threshold", "points above zero"),
    ({"venue": {"message_rate": {"burst": 1}}}, "venue.message_rate.burst is not known", "threshold, decay_per_s"),
    ({"venue": {"message_rate": {"decay_per_s": "0.0000001"}}}, "venue.message_rate.decay_per_s", "six decimals"),
    ({"venue": {"lockout": {"ban_s": 0}}}, "venue.lockout.ban_s", "from 1 to 86400"),
    ({"venue": {"connection_attempts": "no"}}, "venue.connection_attempts", "a table"),
    ({"accounts": {"name": "a"}}, "accounts", "a list of tables, found a table"),
    ({"accounts": ["a"]}, "accounts[0]", "a table, found a text"),
    ({"accounts": [PLAIN, {}]}, "accounts[1].name", "a name, found nothing"),
    ({"accounts": [PLAIN, PLAIN]}, "accounts[1].name", 'no other account has, found "a"'),
    (account(name=" "), "accounts[1].name", "a name"),
    (account(name="outside"), "accounts[1].name", "none of the venue's own accounts"),
    (account(name="makers of BTC/USD"), "accounts[1].name", "64 letters"),
    (account(name="x" * 65), "accounts[1].name", "64 letters"),
    (account(name="a\nb"), "accounts[1].name", "64 letters"),
    (account(tier="gold"), "accounts[1].tier", 'one of starter, intermediate, pro, found "gold"'),
    (account(balance={}), "accounts[1].balance is not known", 'Did you mean "balances"?'),
    (account(balances=[]), "accounts[1].balances", "a table, found a list"),
    (account(balances={"BTC": -1}), "accounts[1].balances.BTC", "a number from 0 to 1000000000000, found -1"),
    (account(balances={"BTC": "x"}), "accounts[1].balances.BTC", 'found "x"'),
    (account(balances={"BTC": 0.1}), "accounts[1].balances.BTC", "A float is not exact"),
    (account(balances={"BTC": True}), "accounts[1].balances.BTC", "found true"),
    (account(balances={"BTC": None}), "accounts[1].balances.BTC", "found nothing"),
    (account(balances={"BTC": "NaN"}), "accounts[1].balances.BTC", 'found "NaN"'),
    (account(balances={"BTC": Decimal("Infinity")}), "accounts[1].balances.BTC", "found Infinity"),
    (account(balances={"BTC": "1e30"}), "accounts[1].balances.BTC", 'found "1e30"'),
    (account(balances={"BTC": "0.00000000001"}), "accounts[1].balances.BTC", "at most 10 decimals"),
    (account(balances={"XBT": 1, "BTC": 1}), "accounts[1].balances.BTC", "each asset once, found BTC again"),
    (account(balances={"FOO": 1}), "accounts[1].balances.FOO", "an asset of a listed instrument"),
    (account(balances={5: 1}), "accounts[1].balances", "a table"),
    (account(fee_volume=-1), "accounts[1].fee_volume", "a whole number"),
    (account(fees={"taker": 1}), "accounts[1].fees.maker", "found nothing"),
    (account(fees={"taker": 100, "maker": 0}), "accounts[1].fees.taker", "from 0 to 99.9999"),
    (account(fees={"taker": "0.00001", "maker": 0}), "accounts[1].fees.taker", "at most four decimals"),
    (account(margin="yes"), "accounts[1].margin", "true or false"),
    (account(limits=5), "accounts[1].limits", "a table"),
    (account(limits={"trade": 1}), "accounts[1].limits.trade is not known", "trading"),
    (account(limits={"open_orders": -1}), "accounts[1].limits.open_orders", "a whole number"),
    (account(limits={"rest": {"threshold": "x"}}), "accounts[1].limits.rest.threshold", "a number"),
    (account(keys={}), "accounts[1].keys", "a list of tables"),
    (account(keys=[CANARY]), "accounts[1].keys[0]", "a table, found a text"),
    (account(keys=[{"key": "k"}]), "accounts[1].keys[0].secret", "beside the key"),
    (account(keys=[{"secret": CANARY}]), "accounts[1].keys[0].key", "beside the secret"),
    (key(secret=CANARY + "!"), "accounts[1].keys[1].secret", "the base64 text"),
    (key(secret=[CANARY]), "accounts[1].keys[1].secret", "the base64 text"),
    (key(secrets=CANARY), "accounts[1].keys[1].secrets is not known", 'Did you mean "secret"?'),
    (key(key="with blank"), "accounts[1].keys[1].key", "visible ASCII"),
    (key(key="x" * 129), "accounts[1].keys[1].key", "visible ASCII"),
    (key(permissions="all"), "accounts[1].keys[1].permissions", "a list of query_funds"),
    (key(permissions=["root"]), "accounts[1].keys[1].permissions", 'found "root"'),
    (key(nonce_window=-1), "accounts[1].keys[1].nonce_window", "a whole number"),
    (key(nonce_window=NONCE_MAX + 1), "accounts[1].keys[1].nonce_window", "a whole number"),
    (key(rate_limits=0), "accounts[1].keys[1].rate_limits", "true or false"),
    (account(keys=[{"key": "k", "secret": CANARY}] * 2), "accounts[1].keys[1].key", 'no other key has, found "k"'),
    ({"instruments": {"files": "x"}}, "instruments.files is not known", 'Did you mean "file"?'),
    ({"instruments": {"file": ""}}, "instruments.file", "the name of a JSON file"),
    ({"instruments": {"start_prices": {"BTC/USD": 1}}}, "instruments.start_prices", "only beside a file"),
    ({"instruments": {"file": "x", "start_prices": {"?": 1}}}, "instruments.start_prices.?", "a symbol"),
    ({"instruments": {"file": "x", "start_prices": {"BTC/USD": 0}}}, "instruments.start_prices.BTC/USD", "a number"),
    (
        {"instruments": {"file": "x", "start_prices": {"BTC/USD": 1, "XBTUSD": 2}}},
        "instruments.start_prices.XBTUSD",
        "each symbol once",
    ),
    ({"faults": {"explode": 1}}, "faults.explode is not known", "corrupt_checksum"),
    ({"faults": {"lose_ack": Decimal("0.5")}}, "faults.lose_ack", "a whole number"),
    ({"faults": {"stall_s": -1}}, "faults.stall_s", "a number from 0"),
]


@pytest.mark.parametrize(
    ("document", "path", "told"), WRONG, ids=[f"{n}-{path}" for n, (_, path, _) in enumerate(WRONG)]
)
def test_wrong_member_is_named_with_what_was_expected(document: object, path: str, told: str) -> None:
    text = refusal(document)
    assert text.startswith(f"{path}:")
    assert told in text
    assert CANARY not in text


def test_secret_is_in_no_text_of_a_configuration() -> None:
    config = read(FULL)
    secrets = [key.secret.reveal() for account in config.accounts for key in account.keys]
    assert CANARY in secrets
    shown = f"{config!r} {config} {config.accounts} {config.accounts[0].keys}"
    assert not any(secret in shown for secret in secrets)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 10**20)
    | st.floats()
    | st.decimals()
    | st.sampled_from(["", "BTC", "x", CANARY, "1.5", "pro", "online"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                sorted(
                    [
                        "name",
                        "key",
                        "secret",
                        "keys",
                        "balances",
                        "BTC",
                        "limits",
                        "trading",
                        "threshold",
                        "seed",
                        "file",
                        "fees",
                    ]
                )
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["venue", "accounts", "instruments", "faults"]), VALUES, max_size=4), VALUES)
def test_any_document_is_read_or_refused(document: dict[str, object], member: object) -> None:
    for candidate in (document, member, {"accounts": [member]}, {"accounts": [{"name": "a", "keys": [member]}]}):
        text = ""
        try:
            listing(config_from(candidate))
        except ConfigError as error:
            text = str(error)
        assert CANARY not in text
