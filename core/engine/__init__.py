"""Carries requests out."""
