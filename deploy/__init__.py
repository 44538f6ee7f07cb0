"""How Tessera is run: the local stack, the image, the metrics."""
