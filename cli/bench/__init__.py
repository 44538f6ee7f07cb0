"""``tessera bench``: what the pipeline does a second, against the least that any pipeline of its kind must do."""
