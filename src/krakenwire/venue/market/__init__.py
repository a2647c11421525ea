"""What is listed and how it moves: instruments, their markets, candles, history, and the simulated traders."""
