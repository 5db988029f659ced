"""PostgreSQL without an installation: a server of our own in the data folder, unless DATABASE_URL names another."""

from saas.postgres.cluster import Cluster
from saas.postgres.configuration import default_cluster, django_database
from saas.postgres.errors import PostgresError

__all__ = ["Cluster", "PostgresError", "default_cluster", "django_database"]
