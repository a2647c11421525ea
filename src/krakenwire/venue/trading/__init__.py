"""Accounts that trade at the local Kraken: money, orders, and what becomes of both; pure, no wire text."""

from krakenwire.venue.trading.account_order import AccountOrder, Fill
from krakenwire.venue.trading.accounts import FEES, OUTSIDE, Account, Ledger, LedgerEntry
from krakenwire.venue.trading.exchange import Exchange
from krakenwire.venue.trading.hand import Hand
from krakenwire.venue.trading.reports import Report

__all__ = ["FEES", "OUTSIDE", "Account", "AccountOrder", "Exchange", "Fill", "Hand", "Ledger", "LedgerEntry", "Report"]
