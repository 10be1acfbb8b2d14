"""Ctrl+K: a command, a head, an example or a model by a part of its name."""
