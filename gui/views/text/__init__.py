"""A text shaded by what its tokens attend to."""
