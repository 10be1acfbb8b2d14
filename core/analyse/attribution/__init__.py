"""What a prediction owes to what: by looking into a pass."""
