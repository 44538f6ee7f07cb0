"""Tiers: grades that members qualify for. Pure, like all of ``domain``."""
