"""Small Transformers written from scratch, and their files."""
