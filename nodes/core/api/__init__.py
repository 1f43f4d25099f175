"""The model API as typed functions: calls, answers, and when a call is repeated."""
