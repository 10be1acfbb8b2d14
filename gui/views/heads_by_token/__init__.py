"""All heads' weights from or to one token."""
