"""The papers' tables and figures, ours beside theirs. ``saccade experiment`` runs them."""
