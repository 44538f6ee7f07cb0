"""What a redemption is and how it may move: pure, without clock, database or network."""
