"""Configurations as files, and the program that trains in processes of its own."""

import json
from pathlib import Path

SCRIPT = Path(__file__).with_name("run_train.py")
TWO_PROCESSES = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone")


def toml(settings):
    """The tables as the text of a configuration file."""
    lines = []
    for table, values in settings.items():
        lines += [f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join(lines)


def changed(settings, **tables):
    """The settings with some keys of some tables replaced."""
    return {**settings, **{k: {**settings.get(k, {}), **v} for k, v in tables.items()}}
