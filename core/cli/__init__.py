"""The commands of the terminal that need no window: one file each, on what `options` and `terminal` share."""
