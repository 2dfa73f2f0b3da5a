"""What all commands share: help, exit codes, progress, input and output."""
