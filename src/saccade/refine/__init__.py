"""From probabilities to a sharp mask. Imported on use, nothing here knows a network."""
