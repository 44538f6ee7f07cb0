"""One file a capability: load facts, decide, save. All work inside the caller's transaction, but for the desks
(``check_out``, ``quote_return``): they ask other services too, and read in transactions of their own in between.
"""
