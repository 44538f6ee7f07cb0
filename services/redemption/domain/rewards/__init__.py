"""Rewards: what points buy, who may have it, and what becomes of it. Pure."""
