"""What the platform offers its tenants (public-schema app)."""
