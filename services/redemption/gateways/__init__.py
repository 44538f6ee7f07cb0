"""What other services are asked, and what becomes of it when they do not answer."""
