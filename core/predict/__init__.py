"""What a model says: masked words, the next sentence, generated text."""
