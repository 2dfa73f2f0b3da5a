"""What every panel and every controller of the app is built on."""
