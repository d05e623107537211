"""The image's build, step by step, where there is no daemon."""
