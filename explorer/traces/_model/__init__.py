"""The record of a trace, sets of traces, and labels."""
