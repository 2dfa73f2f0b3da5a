"""What all figures share: colours, theme, text of labels, columns and axes."""
