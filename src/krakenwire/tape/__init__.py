"""What was seen on the wire: record format, quality marks, the player, columns. Pure: no file is opened here."""
