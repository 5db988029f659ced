"""What tests share: databases cloned from a template, waiting for a condition, receivers."""
