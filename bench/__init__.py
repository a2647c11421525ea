"""Measures the hot path against a yardstick in the same process. Start reading at `__main__`."""
