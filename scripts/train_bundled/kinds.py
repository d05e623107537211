"""The kinds of stages that a recipe may have."""

from scripts.train_bundled import fit, fusion
from scripts.train_bundled.tasks import Kind

KINDS: dict[str, Kind] = {"fit": fit.KIND, "fusion": fusion.KIND}
