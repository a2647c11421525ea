"""From wire requests to the venue and back, for v1, v2 and REST: translation, topics, who is told what."""
