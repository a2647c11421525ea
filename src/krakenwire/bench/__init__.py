"""Measures krakenwire beside its yardsticks and its peers, all in one run; `krakenwire bench` shows it.

It measures the product from outside, through the calls a user makes, and
proves in each run that the work was done. Nothing in the product imports it.
Start reading at `suites`; the bounds are in `goals`, the method in
docs/performance.md.
"""
