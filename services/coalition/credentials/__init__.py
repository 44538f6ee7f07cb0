"""Secrets: how they are made, kept, proven, and turned into tokens."""
