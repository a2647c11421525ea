"""Compositions of pure rooms and drivers: the Kraken faces, the local venue, watcher, verifier, demo."""
