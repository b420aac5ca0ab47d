"""Language modelling: predicting the next character."""
