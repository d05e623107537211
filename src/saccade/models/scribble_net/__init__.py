"""The light network of the GDC paper (figure 3), which learns one image from its strokes.

    frozen features (B, Cin, H, W), half the size of the image
      -> fuse        1x1 convolution to C channels
      -> local       3x3 convolution  ------------------------+
      -> dynamic     Gaussian dynamic convolution, or a rival -+-> side by side, 2C channels
      -> classifier  3x3 convolution and ReLU
      -> out         1x1 convolution to K class scores; their softmax is the prediction

The same network is computed in five ways, because training and prediction need different parts of
it and most of the time of `saccade.segment` is spent here:

- `module.ScribbleNet` is the reference: whole maps, one draw of the sampling positions, autograd.
- `at_pixels.ScoresAtPixels`: scores at the labelled pixels of one image, for the many optimisation
  steps of preset ``paper``. Every branch, every norm.
- `averaging.ScoresOfDraws`: whole maps of many draws of a network that changes no more, for the
  averaged prediction. What is not random is computed once. Every branch, every norm.
- `batched.batched_scores`: scores at some pixels of several images, each with weights of its own,
  for the few learned steps of presets ``fast`` and ``best`` and for their meta-training. Branch
  "gdc" without a norm.
- `joint.joint_scores`: the same for several images of any sizes that share their weights.

All replicate the border and round sampled positions to whole pixels (but "deformable", which
interpolates), so a convolution is a matrix product of rows read from the map; `gathering` holds
the reading. `tests/models/scribble_net/test_paths.py` holds each path to the module.
"""

from saccade.models.scribble_net.at_pixels import ScoresAtPixels
from saccade.models.scribble_net.averaging import ScoresOfDraws
from saccade.models.scribble_net.batched import batched_scores
from saccade.models.scribble_net.joint import joint_scores
from saccade.models.scribble_net.module import BRANCHES, RANDOM_BRANCHES, Branch, ScribbleNet

__all__ = [
    "BRANCHES",
    "RANDOM_BRANCHES",
    "Branch",
    "ScoresAtPixels",
    "ScoresOfDraws",
    "ScribbleNet",
    "batched_scores",
    "joint_scores",
]
