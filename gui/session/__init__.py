"""What is explored: values, without a thread and without a widget."""
