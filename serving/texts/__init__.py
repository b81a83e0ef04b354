"""What staff and customers read, by language."""
