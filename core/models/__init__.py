"""One door to every model: hub name, folder, .gguf file or toy."""
