"""What depends on the insides of transformers, accelerate and huggingface_hub."""
