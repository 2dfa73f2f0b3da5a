"""The record of a trace, its native form, sets of traces, and labels."""
