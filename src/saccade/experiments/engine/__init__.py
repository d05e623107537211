"""What the experiments of all papers share; it imports none of them."""
