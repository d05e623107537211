"""The nearest stroke, in the plane."""

from scipy import ndimage

from benchmarks.peers.common import Image, Labels, parse_strokes


def nearest(image: Image, strokes: Labels, unlabeled: int = 255) -> Labels:
    """Class of the nearest stroke pixel in the plane; the image is not looked at."""
    free, _ = parse_strokes(strokes, unlabeled)
    where = ndimage.distance_transform_edt(free, return_distances=False, return_indices=True)
    return strokes[tuple(where)]
