"""How the arithmetic is painted."""
