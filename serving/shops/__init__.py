"""Orders and returns that shop systems send by webhook, mapped to events."""
