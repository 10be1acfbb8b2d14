"""What a prediction owes to what: by changing a pass."""
