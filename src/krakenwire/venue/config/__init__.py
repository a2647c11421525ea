"""What a local Kraken is told once: accounts, what is listed, limits; read from a file or built."""
