"""Spreading tenants over a Citus cluster: what it forbids, preparing it, looking at it (docs/howto/scale-out-with-citus.md)."""
