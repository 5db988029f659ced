"""Measures the shipped paths side by side with their peers: `make bench`."""
