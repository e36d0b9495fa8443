"""One-shot and few-shot classification of representations."""
