"""One observed pass of a model."""
