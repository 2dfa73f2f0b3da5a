"""How a report is drawn and written: one HTML page."""
