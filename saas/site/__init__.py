"""An organisation's own pages: its dashboard and its settings."""
