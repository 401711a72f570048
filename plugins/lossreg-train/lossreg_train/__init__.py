"""From a config to a trained model: data, training, and what repeats the run."""
