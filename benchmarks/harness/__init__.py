"""What the suites share: their command line, data sets, clocks, and what they leave behind."""
