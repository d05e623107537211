"""Training labels from cheap supervision: localization maps, their fusion, pseudo masks."""
