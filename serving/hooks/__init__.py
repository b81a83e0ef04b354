"""Webhooks: telling other systems what happened."""
