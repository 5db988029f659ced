"""People inside a tenant: they sign in by e-mail, have a role, are invited or register. Tables in every tenant's schema."""
