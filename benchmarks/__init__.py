"""Speed and quality against the peers, side by side in one run."""
