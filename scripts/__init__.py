"""Programs that are run from a checkout and do not ship."""
