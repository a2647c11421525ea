"""Measurements that need the sources: how many instructions the one pass takes. All others: `krakenwire bench`."""
