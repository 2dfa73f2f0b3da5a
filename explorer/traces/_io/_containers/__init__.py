"""Records within files of every kind, uploads and tables in memory."""
