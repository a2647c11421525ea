# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled twin of `krakenwire.trading.simulator.orders`: what an order and a report mean is written there."""

cimport cython
from libc.stdint cimport int64_t

from krakenwire.errors import UsageError

cdef tuple _STATES = ("new", "sent", "waiting", "open", "filled", "canceled", "expired", "refused")


@cython.final
cdef class Order:
    """One order; see `krakenwire.trading.simulator.orders`."""

    def __init__(
        self, int symbol, int side, int order_type, price, qty, *, trigger=0, int flags=0, expire_ns=0, user=None
    ):
        if self.ref:
            raise UsageError("order", expected="one that is new and possible", found=self.state)
        self.symbol, self.side, self.order_type, self.flags, self.user = symbol, side, order_type, flags, user
        try:
            self.price, self.qty, self.trigger, self.expire_ns = price, qty, trigger, expire_ns
        except OverflowError:
            found = (price, qty, trigger, expire_ns)
            raise UsageError("number of an order", expected="less than 2**63", found=found) from None
        self.left = self.qty
        self.told = True

    @property
    def state(self):
        return _STATES[self.phase]

    def __repr__(self):
        side = "buy" if self.side == 1 else "sell"
        return f"Order({self.ref} {side} {self.filled}/{self.qty} at {self.price} {self.state})"


@cython.final
cdef class Report:
    """One thing that became of an order; see `krakenwire.trading.simulator.orders`."""

    def __repr__(self):
        from krakenwire.trading.simulator.model import ReportKind
        return f"Report({ReportKind(self.kind).name} {self.order.ref} {self.qty} at {self.price} {self.reason})"


cdef Report report_of(int kind, Order order, int64_t price, int64_t qty, bint maker, int64_t time_ns, object reason):
    cdef Report report = Report.__new__(Report)
    report.kind = kind
    report.order = order
    report.price = price
    report.qty = qty
    report.maker = maker
    report.time_ns = time_ns
    report.reason = reason
    report.filled = order.filled
    report.left = order.left
    return report
