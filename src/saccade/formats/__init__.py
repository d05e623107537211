"""What comes out: mask files that read back to the same labels, overlays, colour maps."""
