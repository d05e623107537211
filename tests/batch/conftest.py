"""Puts `batch_workers` where processes that are started anew find it: they get this path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
