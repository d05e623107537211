"""The worker of one tree: python -P tree_worker.py THREADS, calls on stdin, times on stdout.

It stands alone and uses the public face only, so that any tree can run it. The
tree is the first of PYTHONPATH.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import saccade


def prepared(method: str, arrays: Any) -> Callable[[], Any]:
    """What is to be timed; it returns a result with ``labels``."""
    if method == "update":
        segmenter = saccade.ScribbleSegmenter("fast", device="cpu")
        segmenter.fit(arrays["image"], arrays["before"])
        return lambda: segmenter.update(arrays["strokes"]).result
    return lambda: saccade.segment(arrays["image"], arrays["strokes"], preset=method, device="cpu")


def timed(method: str, file: str) -> dict[str, Any]:
    """Wall time, processor time and the mask's hash."""
    with np.load(file) as opened:
        run = prepared(method, dict(opened))
    processor, wall = time.process_time(), time.perf_counter()
    result = run()
    seconds, processor = time.perf_counter() - wall, time.process_time() - processor
    mask = hashlib.sha256(np.ascontiguousarray(result.labels, np.int64)).hexdigest()
    return {"seconds": seconds, "processor": processor, "mask": mask}


def main() -> None:
    """Answer until standard input ends."""
    torch.set_num_threads(int(sys.argv[1]))
    print(json.dumps({"loaded": saccade.__file__}), flush=True)
    for line in sys.stdin:
        print(json.dumps(timed(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
