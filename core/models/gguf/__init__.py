"""Models from GGUF files, read by ourselves: whatever a file says is used, known to be harmless, or named in a refusal."""
