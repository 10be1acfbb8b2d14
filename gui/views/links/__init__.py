"""Heads as lines between tokens."""
