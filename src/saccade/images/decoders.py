"""The decoders of Pillow that may run.

Pillow would hand EPS and PostScript to Ghostscript, which executes them, and WMF to the system;
video, documents and scientific containers are no single picture. None of those is ever opened.
"""

DECODERS = (
    "PNG",
    "JPEG",
    "TIFF",
    "WEBP",
    "AVIF",
    "JPEG2000",
    "BMP",
    "DIB",
    "GIF",
    "PPM",
    "ICO",
    "QOI",
    "PCX",
    "SGI",
    "DDS",
    "PSD",
    "TGA",  # last, as its files have no mark of their own
)
"""Pillow's names of the formats that are opened (MPO as JPEG); nothing else is."""

EXPECTED = "expected PNG, JPEG, TIFF, BMP, WebP, GIF, AVIF, JPEG 2000, PNM, TGA, ..."
"""For messages: what an image file may be."""
