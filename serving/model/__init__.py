"""The model that answers: found in the registry, kept on disk, replaced while the service runs."""
