"""Objects in microscope images, against their ground truth."""
