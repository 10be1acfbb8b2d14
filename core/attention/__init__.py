"""What attention is (functions), how it is caught (capture, interface, fallback), what is kept of it (record)."""
