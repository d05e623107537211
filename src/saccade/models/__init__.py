"""Networks made of the layers, their backbones, and the files that keep them.

One file per network: `scribble_net` (GDC paper, one image), `deeplab` (GDC paper, data sets),
`dsnet` (DSNet paper), `mdc` and `largefov` (MDC paper); `segmentation` builds those for data sets.
"""
