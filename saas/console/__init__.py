"""The superadmin's console, on the platform host: the catalog and the fleet."""
