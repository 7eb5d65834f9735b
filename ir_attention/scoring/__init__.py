"""Texts to scores in NumPy, with the weights of a trained model."""
