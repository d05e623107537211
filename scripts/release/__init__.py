"""What is released: built, looked into, and tried where nothing else is installed."""
