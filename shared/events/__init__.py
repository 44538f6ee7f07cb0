"""The facts that services tell each other: CloudEvents 1.0 in JSON, one discriminated union a topic."""
