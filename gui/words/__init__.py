"""Sentences that the screen shows, translated where they are shown."""
