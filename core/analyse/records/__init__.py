"""What follows from a record alone."""
