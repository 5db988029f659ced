"""What the host's templates need beyond Django's own tags."""
