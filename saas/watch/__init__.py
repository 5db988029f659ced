"""The platform seen from outside: what it counts, and whether it is ready."""
