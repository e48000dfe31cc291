"""Programs that this node runs for others."""
