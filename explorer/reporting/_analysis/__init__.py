"""What a report says: numbers and sentences."""
