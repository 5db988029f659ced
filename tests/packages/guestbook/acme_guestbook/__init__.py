"""A guest book for each organisation."""
