"""What the agent must do, as pure functions of what the chain said and of what is on the disk."""
