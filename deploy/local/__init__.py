"""The local stack: a real PostgreSQL and a real Kafka from Python packages, and Tessera's services on top.

For a machine that has Python and nothing else. Nobody but ``cli`` and the tests imports this package.
"""
