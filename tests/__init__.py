"""Tests, one folder a layer: from pure units to the commands a user types."""
