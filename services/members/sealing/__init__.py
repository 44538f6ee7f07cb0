"""What keeps personal data unreadable outside the service's memory: a key a member, wrapped by a master key."""
