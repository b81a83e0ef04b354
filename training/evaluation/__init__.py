"""How good a model is on returns that came after everything it was fitted on."""
