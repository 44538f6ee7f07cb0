"""Rule sets that two people put into force: documents with a life, versions and a history, alike in every service.

A service keeps them in its own tables, says what a document is and what can be wrong with it, and
judges by the versions that ``load_newer`` gives it.
"""
