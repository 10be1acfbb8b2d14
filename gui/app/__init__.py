"""The program: its window's application, and the command line."""
