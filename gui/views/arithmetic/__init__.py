"""The softmax of one query, worked out."""
