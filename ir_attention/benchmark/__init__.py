"""Several models on one data set: the same pairs, the same budget, one table."""
