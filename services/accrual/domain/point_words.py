"""Amounts of points in sentences."""


def in_points(points: int, point_type: str | None = None) -> str:
    """1 point, 1200 points. The name of another type stands as it is."""
    return f"{points} {point_type or ('point' if points == 1 else 'points')}"
