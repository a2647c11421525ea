"""What a bot decides with: strategy, orders, risk, portfolio, the pretended market. Pure: no clock, socket or file."""
