"""Loading models: by hub name, or from a folder, a .gguf file or the toys."""
