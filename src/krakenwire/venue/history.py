"""A past for a market that begins now."""

from random import Random

from krakenwire.venue.market import Market


def load_history(market: Market, random: Random, now_ns: int) -> None:
    """Placeholder until the real one is written."""
