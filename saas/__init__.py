"""The top of the house: settings, urls, the embedded database, the demo and the pages that join tenants with plugins."""
