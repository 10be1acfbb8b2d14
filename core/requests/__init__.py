"""What can be asked: frozen values, each with the type of its answer."""
