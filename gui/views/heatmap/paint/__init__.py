"""How a matrix is painted."""
