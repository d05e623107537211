"""Tables of the DSNet paper (dynamic sampling, CGDS)."""
