"""Assessments: how likely a careful inspection of a return would confirm abuse, why, and what to do."""
