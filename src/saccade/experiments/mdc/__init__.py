"""Tables and the figure of the MDC paper (multi-dilated convolution)."""
