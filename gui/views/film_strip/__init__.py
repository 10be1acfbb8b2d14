"""The steps of a generation, one after the other."""
