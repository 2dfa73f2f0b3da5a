"""The page of a report: its sections, figures and markup."""
