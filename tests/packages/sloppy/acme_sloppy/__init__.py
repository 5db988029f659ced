"""Breaks every rule."""
