"""Members: who belongs to the programme. The only place with personal data."""
