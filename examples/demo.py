"""Segments a photograph from the strokes beside this file: ``make demo``.

The photograph is one that scikit-image carries. It is written to out/demo/photo and handed to
the command line, the way any other photograph would be.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from PIL import Image
from skimage import data

EXAMPLES = Path(__file__).parent
NAMES = ("cat", "astronaut", "coffee")


def main() -> int:
    """Write the photograph, run ``saccade segment`` on it and return its exit code."""
    parser = argparse.ArgumentParser(description="Segment a photograph from strokes.")
    parser.add_argument("name", nargs="?", default="cat", choices=NAMES)
    parser.add_argument("--output", type=Path, default=Path("out/demo"))
    arguments = parser.parse_args()
    photo = arguments.output / "photo" / f"{arguments.name}.png"
    photo.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(getattr(data, arguments.name)()).save(photo)
    strokes = EXAMPLES / f"{arguments.name}_strokes.png"
    command = ["segment", str(photo), str(strokes), "-o", str(arguments.output)]
    command += ["--uncertainty", "--overwrite"]
    print("$ saccade", *command, flush=True)
    return subprocess.call([sys.executable, "-m", "saccade.cli", *command])


if __name__ == "__main__":
    sys.exit(main())
