"""What all tabs share: header, toolbar, head selector, status line, export."""
