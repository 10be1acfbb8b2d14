"""What is kept of a layer, and its weights from that."""
