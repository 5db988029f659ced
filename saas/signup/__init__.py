"""An organisation signs up on the public host and lands in its own, signed in as its owner."""
