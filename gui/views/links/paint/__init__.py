"""How links and arcs are painted."""
