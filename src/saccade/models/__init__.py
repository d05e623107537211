"""Networks made of the layers, and the frozen extractor they stand on."""
