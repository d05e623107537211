"""Pixels whose centres lie in a shape, by formulas that share nothing with the product."""

import itertools

import numpy as np

H, W = 96, 128
Y, X = np.mgrid[:H, :W] + 0.5  # centres of pixels


def polygon(points):
    """By the sign of the angle to each side; the polygon is convex."""
    points = np.asarray(points, float)
    sides = zip(points, np.roll(points, -1, 0), strict=True)
    signs = [(x1 - x0) * (Y - y0) - (y1 - y0) * (X - x0) for (x0, y0), (x1, y1) in sides]
    return np.all(np.array(signs) >= 0, 0) | np.all(np.array(signs) <= 0, 0)


def ellipse(x, y, rx, ry, degrees=0):
    turn = np.radians(degrees)
    u = (X - x) * np.cos(turn) + (Y - y) * np.sin(turn)
    v = (Y - y) * np.cos(turn) - (X - x) * np.sin(turn)
    return (u / rx) ** 2 + (v / ry) ** 2 <= 1


def box(x, y, w, h, degrees=0, about=None):
    """A rectangle that is turned about a point, its centre if there is none."""
    cx, cy = about or (x + w / 2, y + h / 2)
    turn = np.radians(degrees)
    u = cx + (X - cx) * np.cos(turn) + (Y - cy) * np.sin(turn)
    v = cy + (Y - cy) * np.cos(turn) - (X - cx) * np.sin(turn)
    return (u >= x) & (u <= x + w) & (v >= y) & (v <= y + h)


def line(points, width=10):
    found = np.zeros((H, W), bool)
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        along = (((X - x0) * (x1 - x0) + (Y - y0) * (y1 - y0)) / length).clip(0, 1)
        found |= np.hypot(X - x0 - along * (x1 - x0), Y - y0 - along * (y1 - y0)) <= width / 2
    return found


def dots(points, width=10):
    return np.any([np.hypot(X - x, Y - y) <= width / 2 for x, y in points], 0)


def half(points):
    """Points of labelme, whose (0, 0) is the centre of a pixel."""
    return [[x + 0.5, y + 0.5] for x, y in points]
