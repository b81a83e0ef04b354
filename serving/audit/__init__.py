"""Who saw, decided and changed what, and when: written once, never changed."""
