"""The one list of the suffixes of image files, for folders, data sets and the server.

It imports nothing, so that the command line starts fast.
"""

LABEL_SUFFIXES = frozenset(
    {
        ".bmp",
        ".dib",
        ".gif",
        ".pbm",
        ".pcx",
        ".pfm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tga",
        ".tif",
        ".tiff",
        ".webp",
    }
)
"""Suffixes, in lower case, of image files that can hold label values without loss."""

IMAGE_SUFFIXES = LABEL_SUFFIXES | frozenset(
    {
        ".apng",
        ".avif",
        ".btf",
        ".dds",
        ".ico",
        ".j2c",
        ".j2k",
        ".jfif",
        ".jp2",
        ".jpc",
        ".jpe",
        ".jpeg",
        ".jpf",
        ".jpg",
        ".jpx",
        ".mpo",
        ".psd",
        ".qoi",
        ".sgi",
        ".tf8",
    }
)
"""Suffixes, in lower case, of the files that are taken for images in a folder."""
