"""How right a model is, how far it is to be trusted, and the rule that its card keeps."""
