"""Benchmarks of durable deliveries: how many a second beside procrastinate, how late they come, and beside whom."""
