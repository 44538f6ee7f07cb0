"""Codes that are worth something: made here, and kept so that a copy of the tables gives none away."""
