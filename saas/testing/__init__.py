"""What tests are made of, ours and those of plugin authors: databases, receivers, fixtures, and what every plugin must be."""
