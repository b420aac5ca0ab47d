"""The tests, in folders that mirror src/handmade; what they share is in tests.support."""
