"""Strokes: their file formats, their expansion over superpixels, simulated annotators."""
