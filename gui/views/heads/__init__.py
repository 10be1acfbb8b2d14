"""All heads at once."""
