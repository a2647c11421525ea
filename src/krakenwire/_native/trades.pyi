from krakenwire.trading.trades import TradeMaker as TradeMaker
from krakenwire.trading.trades import amounts_of as amounts_of
