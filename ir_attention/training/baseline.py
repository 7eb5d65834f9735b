"""MatchZoo's models in training."""
