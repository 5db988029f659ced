"""The database backend that makes PostgreSQL itself enforce the current tenant."""
