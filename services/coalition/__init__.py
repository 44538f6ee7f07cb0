"""Coalition: partners, their stores and tills, and who may call the API."""
