"""A board on which members leave notes."""
