"""What toys are trained on, how, and how well they learn it."""
