"""Config to compiled Keras model: its parts, its data, its training, and what it minimizes."""
