"""Causal effects on a prediction, measured by changing the pass."""
