"""Speed and quality against the peers, side by side in one run.

Each module or package of `suites` is a program: ``python -m benchmarks.performance ROOT`` runs
``suites/performance``, for which its folder is searched as well. ``python -m benchmarks`` lists
them.
"""

from pathlib import Path

__path__ = [*__path__, str(Path(__file__).with_name("suites"))]
