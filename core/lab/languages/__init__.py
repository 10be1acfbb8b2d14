"""The languages that toys learn."""
