"""A ledger of the platform itself."""
