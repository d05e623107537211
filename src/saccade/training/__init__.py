"""Training of networks on whole data sets."""
