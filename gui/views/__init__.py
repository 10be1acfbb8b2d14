"""One folder a view: what it shows, how it is painted, what the mouse does in it."""
