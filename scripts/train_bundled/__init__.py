"""How the weights that ship are trained: a recipe of stages, and the loop that follows it."""
