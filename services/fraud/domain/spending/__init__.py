"""Whether a member may spend now: asks, rules over them, and the verdict. Pure."""
