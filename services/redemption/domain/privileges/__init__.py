"""What members are entitled to: declared as data, judged and computed purely."""
