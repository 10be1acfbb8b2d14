"""Many thousand broken and hostile files of every kind: `python -m tests.fuzz` (make fuzz)."""
