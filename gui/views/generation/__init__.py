"""How a model writes, and what it wrote."""
