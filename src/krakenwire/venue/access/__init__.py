"""Who may do what, and how often: keys, nonces, permissions, tokens, counters and limits."""
