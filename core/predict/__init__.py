"""Predictions of a model: masked words, the next sentence, classes, generated text."""
