"""Where a model's layers go: devices, number formats, packing."""
