from krakenwire.trading.simulator.book import SimBook as SimBook
from krakenwire.trading.simulator.orders import Order as Order
from krakenwire.trading.simulator.orders import Report as Report
from krakenwire.trading.simulator.simulator import Simulator as Simulator
