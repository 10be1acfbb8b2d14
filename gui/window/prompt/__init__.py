"""The text and its tokens, at the top of the window."""
