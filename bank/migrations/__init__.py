"""The database's shape, step by step, the same on both engines; Alembic applies the steps.

A step once released is never edited: what comes later is a new file in `versions`.
"""
