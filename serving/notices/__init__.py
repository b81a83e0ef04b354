"""What customers are told, in plain neutral words."""
