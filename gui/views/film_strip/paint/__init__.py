"""How steps are painted."""
