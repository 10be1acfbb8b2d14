"""Analyses of an attention record; no model is needed."""
