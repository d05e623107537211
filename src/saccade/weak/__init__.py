"""Training labels from cheap supervision: localisation maps, their fusion, pseudo masks."""
