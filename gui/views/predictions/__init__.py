"""What the model predicts, and why."""
