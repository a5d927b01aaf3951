"""A simulated race: what happened, by its own model, and what decoders and race control said of it. One seed, one race."""
