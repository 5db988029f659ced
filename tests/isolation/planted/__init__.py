"""Faults that our tests must find: each module here breaks the running program in one way, as a careless change would.

The app in here is installed by the tests' settings alone, and only when PLANTED names a fault; it plants that one, in the tests' own
process and in every process that they start. Nothing of the program knows of it.
"""
