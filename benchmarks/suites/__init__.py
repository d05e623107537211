"""The programs, one for each module or package: ``python -m benchmarks.NAME --help``."""
