"""Who the tenants are: organisations, their hosts, their schemas, their people."""
