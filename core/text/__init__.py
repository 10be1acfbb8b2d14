"""What is read: tokens, words, the text itself."""
