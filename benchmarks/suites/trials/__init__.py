"""The page as somebody uses it who has never seen it."""
