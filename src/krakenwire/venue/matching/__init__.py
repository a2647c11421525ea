"""How orders meet: the book of one instrument and the rules of matching, and the twin in use."""
