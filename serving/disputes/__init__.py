"""A customer disagrees: another person looks, by a deadline, and the return is assessed again."""
