"""Images are read by `saccade.images`; older scripts import them from here."""

from saccade.images import as_rgb, decode_image, decoded_size, image_size, load_image

__all__ = ["as_rgb", "decode_image", "decoded_size", "image_size", "load_image"]
