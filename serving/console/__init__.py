"""The review console: pages for staff."""
