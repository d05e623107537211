"""Tables and figures of the GDC paper (Gaussian dynamic convolution)."""
