"""Other programs, the real ones, beside Saccade: what takes too long for the tests."""
