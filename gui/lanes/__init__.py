"""Threads that answer requests, one after the other."""
