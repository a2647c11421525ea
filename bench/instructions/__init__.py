"""Counts the machine instructions of the one pass: a regression guard that does not depend on the machine's mood."""
