"""How a shaded text is painted."""
