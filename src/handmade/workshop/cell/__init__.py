"""The learner's process. What it loads is here and imports nothing else of handmade, so it can hold no answer."""
