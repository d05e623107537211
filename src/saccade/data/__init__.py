"""Images, label specifications and data sets: what is read from disk before any network."""
