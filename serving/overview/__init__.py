"""Figures for those who lead: what came in, what was concluded, how right the reasons were, what random checks find."""
