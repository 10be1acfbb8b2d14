"""Small Transformers written from scratch, the tasks they learn and how they are trained."""
