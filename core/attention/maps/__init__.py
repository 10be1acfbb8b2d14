"""Pictures and numbers of a head, in blocks."""
