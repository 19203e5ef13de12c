"""The synthetic heart: what every committed picture and every test without real images shows."""
