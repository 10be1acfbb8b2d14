"""What is computed from a record, or from a pass that is looked into: rollout, flow, value-weighted attention, attributions."""
