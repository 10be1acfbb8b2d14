"""Attribution of a prediction to tokens, heads and layers, from inside a pass."""
