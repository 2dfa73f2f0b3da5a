"""Files as streams of bytes, files that are written whole or not at all, and JSON decoding."""
