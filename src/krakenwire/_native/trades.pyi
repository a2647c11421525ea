from krakenwire.trading.trades import amounts_of as amounts_of
from krakenwire.trading.trades import trades_of as trades_of
