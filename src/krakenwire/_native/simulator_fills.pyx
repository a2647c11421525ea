# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled twin of `krakenwire.trading.simulator.fills`: one symbol's own orders against a real market.

Every rule is written there, and stands here under the same name; the twins must
never differ. Only this is its own: the sides are 0 to buy and 1 to sell, keys are
greatest for the best, and `near`, `far` and `resting` spare the rows that meet no
own order. Next: `simulator`, the loop that calls it.
"""

cimport cython
from libc.stdint cimport int64_t
from libc.stdlib cimport free

from krakenwire._native.simulator_book cimport (
    SimBook, kw_pair, kw_shown_at, kw_shown_displays, kw_shown_set, kw_side, kw_side_level, kw_side_truncate,
)
from krakenwire._native.simulator_orders cimport (
    CANCELED, EXPIRED, FILLED, OPEN, Order, REFUSED, Report, SENT, WAITING, report_of,
)

cdef enum:  # of krakenwire.trading.simulator.model
    IS_ACCEPTED = 0
    IS_REFUSED = 1
    IS_FILL = 2
    IS_AMENDED = 3
    IS_CANCELED = 4
    IS_EXPIRED = 5
    IS_TRIGGERED = 6
    IS_AMEND_REFUSED = 7
    IS_CANCEL_REFUSED = 8
    POST_ONLY = 1
    IOC = 2
    FOK = 4
    STOP_LOSS = 2
    STOP_LOSS_LIMIT = 3

cdef int64_t AHEAD_UNKNOWN = <int64_t>1 << 62
cdef object _words = None


cdef object words():
    """Return the module with the words of a venue: not at import, because its package imports this module."""
    global _words
    if _words is None:
        from krakenwire.trading.simulator import orders
        _words = orders
    return _words


cdef inline int64_t key_of(int side, int64_t price) noexcept:
    return -price if side else price


cdef inline int place_of(int side) noexcept:
    """Return the index of a side that rows and orders name by `BID` or `ASK`."""
    return side - 1


@cython.final
cdef class Due:
    """The time of a simulator, what waits in it, and the objects that it is about."""

    def __cinit__(self):
        self.objects, self.free_slots = [], []

    def __dealloc__(self):
        free(self.heap.at)

    cdef int push(self, int64_t time_ns, int rank, int what, object of, int64_t price, int64_t qty) except -1:
        cdef kw_due due
        due.time_ns, due.what, due.price, due.qty, due.slot = time_ns, what, price, qty, -1
        due.turn = KW_DUE_RANK(rank) | self.made
        self.made += 1
        if of is not None:
            if self.free_slots:
                due.slot = self.free_slots.pop()
                self.objects[due.slot] = of
            else:
                due.slot = <int>len(self.objects)
                self.objects.append(of)
        if not kw_due_push(&self.heap, due):
            raise MemoryError
        return 0

    cdef object take(self, int slot):
        """Return an object and forget it."""
        cdef object of = self.objects[slot]
        self.objects[slot] = None
        self.free_slots.append(slot)
        return of

    cdef int tell(self, int kind, Order order, int64_t price, int64_t qty, bint maker, object reason) except -1:
        cdef Report report = report_of(kind, order, price, qty, maker, self.now_ns, reason)
        return self.push(self.now_ns + self.report_ns, 0, REPORT, report, 0, 0)


@cython.final
cdef class Fills:
    """The fill engine of one symbol; see `krakenwire.trading.simulator.fills`."""

    def __cinit__(self, listing, model, Due due):
        self.book = SimBook(listing)
        self.due = due
        self.own, self.waiting, self.taken = [[], []], [], [{}, {}]
        self.spread = model.trades_only_spread_ticks * listing.tick
        self.queue = AHEAD_UNKNOWN if model.trades_only_queue_lots is None else model.trades_only_queue_lots
        self.proportional = model.queue == "proportional"
        self.tick, self.lot = listing.tick, listing.lot
        self.qty_min = float(listing.qty_min.scaleb(listing.qty_decimals))
        self.cost_min = float(listing.cost_min.scaleb(listing.price_decimals + listing.qty_decimals))

    cdef bint surely_takes(self, int64_t price, int64_t qty) noexcept:
        """Return whether the instrument takes this for sure; what is close to a minimum is for exact numbers to say."""
        return (
            price % self.tick == 0 and qty % self.lot == 0 and <double>qty >= self.qty_min * 1.000001
            and (price == 0 or <double>price * <double>qty >= self.cost_min * 1.000001)
        )

    # -- the market

    cdef int level(self, int is_ask, int64_t price, int64_t qty, int64_t venue_ns) except -1:
        cdef SimBook book = self.book
        cdef int64_t key = key_of(is_ask, price), old
        cdef Order order
        if not (book.live and book.depth):
            return 0
        old = kw_shown_set(&book.shown[is_ask], key, qty)
        if old < 0:
            raise MemoryError
        if self.consumed[is_ask] and price in <dict>self.taken[is_ask]:
            self.keep_taken(is_ask, price, qty if old else 0)
        if self.resting[is_ask] and self.far[is_ask] <= key <= self.near[is_ask]:
            for order in <list>self.own[is_ask]:
                if order.price == price:
                    self.requeue(order, old, qty if qty > 0 else 0, venue_ns)
        return 0

    cdef int clear(self) except -1:
        cdef int side
        cdef Order order
        if not self.book.depth:
            return 0
        self.book.begin()
        self.snapshot = True
        for side in range(2):
            (<dict>self.taken[side]).clear()
            self.consumed[side] = 0
            for order in <list>self.own[side]:
                order.told = False
                order.credit = order.traded = 0
        return 0

    cdef int gap(self) except -1:
        self.book.end()
        self.snapshot = False
        return 0

    cdef int trade(self, const kw_row *row, int64_t time_ns) except -1:
        cdef int side
        cdef Order order
        if row.flags & KW_ROW_SNAPSHOT and (self.traded or row.venue_ns < self.last_ns):
            return 0
        self.last, self.last_ns, self.traded = row.price, row.venue_ns, not row.flags & KW_ROW_SNAPSHOT
        if not self.book.depth:
            self.book.show_last(row.price, self.spread, time_ns)
        if row.flags & KW_ROW_SNAPSHOT or not self.book.live:
            return 0
        side = row.kind == KW_ROW_BUY
        if self.resting[side] and self.near[side] >= key_of(side, row.price):
            self.serve(side, row.price, row.qty, row.venue_ns)
        if self.waiting:
            for order in tuple(self.waiting):
                self.trigger(order)
        return 0

    cdef int whole(self, int64_t time_ns) except -1:
        cdef SimBook book = self.book
        if not (book.live and book.depth):
            return 0
        book.time_ns = time_ns
        kw_side_truncate(&book.shown[0], book.depth)
        kw_side_truncate(&book.shown[1], book.depth)
        if self.snapshot:
            self.snapshot = False
            self.settle_queues()
        if self.resting[0]:
            self.meet(0)
        if self.resting[1]:
            self.meet(1)
        return 0

    cdef int edges(self, int side) except -1:
        """Note how many own orders rest on a side, and between which limits."""
        cdef list own = <list>self.own[side]
        self.resting[side] = <int>len(own)
        if own:
            self.near[side] = key_of(side, (<Order>own[0]).price)
            self.far[side] = key_of(side, (<Order>own[len(own) - 1]).price)
        return 0

    cdef int keep_taken(self, int is_ask, int64_t price, int64_t qty) except -1:
        cdef dict taken = <dict>self.taken[is_ask]
        if qty > 0:
            taken[price] = min(<int64_t>taken[price], qty)
        else:
            del taken[price]
            self.consumed[is_ask] -= 1
        return 0

    cdef int requeue(self, Order order, int64_t old, int64_t new, int64_t venue_ns) except -1:
        cdef int64_t ahead = order.queue_ahead, seen = old - order.traded
        order.told = True
        order.traded = 0
        if self.proportional and new < seen and ahead != AHEAD_UNKNOWN:
            ahead = -(-<object>ahead * new // seen)
        if ahead > new:
            ahead = new
        if order.queue_ahead != AHEAD_UNKNOWN and ahead < order.queue_ahead:
            order.credit += order.queue_ahead - ahead
            order.credit_ns = venue_ns
        order.queue_ahead = ahead
        return 0

    cdef int settle_queues(self) except -1:
        cdef int side
        cdef Order order
        for side in range(2):
            for order in <list>self.own[side]:
                if not order.told and kw_shown_displays(
                    &self.book.shown[side], key_of(side, order.price), self.book.depth
                ):
                    order.queue_ahead = 0
        return 0

    cdef int serve(self, int side, int64_t price, int64_t qty, int64_t venue_ns) except -1:
        cdef int64_t key = key_of(side, price), reached, filled
        cdef Order order
        for order in tuple(<list>self.own[side]):
            if qty <= 0 or key_of(side, order.price) < key:
                return 0
            reached = qty if order.price != price else self.eat_queue(order, qty, venue_ns)
            if reached > 0:
                filled = min(order.left, reached)
                qty -= filled
                self.fill(order, order.price, filled, True)
        return 0

    cdef int64_t eat_queue(self, Order order, int64_t qty, int64_t venue_ns) except -1:
        cdef int64_t known, eaten
        if order.queue_ahead == AHEAD_UNKNOWN:
            return 0
        if venue_ns and venue_ns <= order.credit_ns:
            known = min(order.credit, qty)
            order.credit -= known
            qty -= known
        else:
            order.credit = 0
        order.traded += qty
        eaten = min(order.queue_ahead, qty)
        order.queue_ahead -= eaten
        return qty - eaten

    cdef int meet(self, int side) except -1:
        """Fill own orders of a side, at their own price, where the other side is displayed at or through it."""
        cdef kw_side *shown = &self.book.shown[1 - side]
        cdef int64_t best
        cdef Order order
        if not shown.n:
            return 0
        best = -kw_side_level(shown, 0).key  # what an own order's key must reach
        if self.near[side] < best:
            return 0
        for order in tuple(<list>self.own[side]):
            if key_of(side, order.price) < best:
                return 0
            self.trade_with(order, False, True, False)
        return 0

    # -- commands, when they act

    cdef int enter(self, Order order) except -1:
        cdef bint waits = order.order_type >= STOP_LOSS
        if not (self.book.live or waits):
            return self.refuse(order, words().UNAVAILABLE)
        self.due.tell(IS_ACCEPTED, order, order.price, order.left, False, "")
        if not waits:
            return self.match(order)
        order.phase = WAITING
        self.waiting.append(order)
        return self.trigger(order)

    cdef int refuse(self, Order order, object reason) except -1:
        order.phase = REFUSED
        return self.due.tell(IS_REFUSED, order, order.price, order.left, False, reason)

    cdef int amend(self, Order order, int64_t price, int64_t qty) except -1:
        cdef object reason = self.amend_refusal(order, price, qty)
        if reason is not None:
            return self.due.tell(IS_AMEND_REFUSED, order, price, qty, False, reason)
        cdef bint stays = order.phase == WAITING or (price == order.price and qty <= order.qty)
        if not stays:
            self.remove(order)
        order.price, order.qty, order.left = price, qty, qty - order.filled
        self.due.tell(IS_AMENDED, order, price, qty, False, "")
        return 0 if stays else self.match(order)

    cdef object amend_refusal(self, Order order, int64_t price, int64_t qty):
        if order.phase != OPEN and order.phase != WAITING:
            return words().UNKNOWN
        if qty <= order.filled:
            return words().INVALID
        if order.phase == WAITING or (price == order.price and qty <= order.qty):
            return None
        if not self.book.live:
            return words().UNAVAILABLE
        if order.flags & POST_ONLY and self.crosses(place_of(order.side), price):
            return words().AMEND_POST_ONLY
        return None

    cdef int cancel(self, Order order) except -1:
        if order.phase != OPEN and order.phase != WAITING:
            return self.due.tell(IS_CANCEL_REFUSED, order, order.price, order.left, False, words().UNKNOWN)
        self.remove(order)
        return self.end(order, IS_CANCELED, words().CANCELED)

    cdef int expire(self, Order order) except -1:
        if order.phase != OPEN and order.phase != WAITING:
            return 0
        self.remove(order)
        return self.end(order, IS_EXPIRED, words().TIME_OVER)

    cdef list open_orders(self):
        return [*self.own[0], *self.own[1], *self.waiting]

    # -- matching

    cdef int trigger(self, Order order) except -1:
        cdef bint stops = order.order_type == STOP_LOSS or order.order_type == STOP_LOSS_LIMIT
        cdef bint buys = place_of(order.side) == 0
        cdef bint reached = self.last >= order.trigger if stops == buys else self.last <= order.trigger
        if not (reached and self.last and self.book.live):
            return 0
        self.remove(order)
        self.due.tell(IS_TRIGGERED, order, order.price, order.left, False, "")
        return self.match(order)

    cdef int match(self, Order order) except -1:
        cdef bint rivaled = self.has_rival(order)
        if order.flags & POST_ONLY and self.crosses(place_of(order.side), order.price):
            return self.end(order, IS_CANCELED, words().POST_ONLY)
        if order.flags & FOK and self.trade_with(order, rivaled, False, True) < order.left:
            return self.end(order, IS_EXPIRED, words().CANNOT_FILL)
        self.trade_with(order, rivaled, False, False)
        if not order.left:
            return 0
        if rivaled:
            return self.end(order, IS_CANCELED, words().SELF_TRADE)
        if order.flags & IOC or not order.price:
            return self.end(order, IS_EXPIRED, words().IOC if order.price else words().NO_LIQUIDITY)
        return self.rest(order)

    cdef bint has_rival(self, Order order) except -1:
        """Return whether the order would trade with an own one, the best of the other side, if it got so far."""
        cdef int side = place_of(order.side)
        if not self.resting[1 - side]:
            return False
        return not order.price or -self.near[1 - side] <= key_of(side, order.price)

    cdef bint crosses(self, int side, int64_t price) except -1:
        cdef kw_side *shown = &self.book.shown[1 - side]
        cdef int64_t key = key_of(side, price)
        if shown.n and -kw_side_level(shown, 0).key <= key:
            return True
        return self.resting[1 - side] and -self.near[1 - side] <= key

    cdef int64_t trade_with(self, Order order, bint rivaled, bint maker, bint dry) except -1:
        cdef int side = place_of(order.side), other = 1 - side, rank
        cdef kw_side *shown = &self.book.shown[other]
        cdef int64_t total = 0, left = order.left, here, price, rival = self.near[other]
        cdef kw_pair pair
        for rank in range(shown.n):
            pair = kw_side_level(shown, rank)
            if not left or (order.price and -pair.key > key_of(side, order.price)) or (rivaled and pair.key <= rival):
                break
            price = key_of(other, pair.key)
            here = left
            if self.book.depth:
                here = pair.qty
                if self.consumed[other]:
                    here -= <int64_t>(<dict>self.taken[other]).get(price, 0)
                here = min(left, here)
            if here <= 0:
                continue
            left -= here
            total += here
            if dry:
                continue
            if self.book.depth:
                (<dict>self.taken[other])[price] = (<dict>self.taken[other]).get(price, 0) + here
                self.consumed[other] = <int>len(<dict>self.taken[other])
            self.fill(order, order.price if maker else price, here, maker)
        return total

    cdef int fill(self, Order order, int64_t price, int64_t qty, bint maker) except -1:
        order.filled += qty
        order.left -= qty
        if not order.left:
            if order.phase == OPEN:
                self.remove(order)
            order.phase = FILLED
        return self.due.tell(IS_FILL, order, price, qty, maker, "")

    cdef int rest(self, Order order) except -1:
        cdef int side = place_of(order.side)
        cdef int64_t key = key_of(side, order.price)
        cdef list own = <list>self.own[side]
        cdef Py_ssize_t at = len(own)
        self.places += 1
        order.place, order.phase = self.places, OPEN
        order.credit = order.credit_ns = order.traded = 0
        order.queue_ahead = self.queue_at(side, order.price)
        while at and key_of(side, (<Order>own[at - 1]).price) < key:
            at -= 1
        own.insert(at, order)
        return self.edges(side)

    cdef int64_t queue_at(self, int side, int64_t price) except -1:
        cdef kw_side *shown = &self.book.shown[side]
        cdef int64_t key = key_of(side, price)
        if not self.book.depth:
            return self.queue
        return kw_shown_at(shown, key) if kw_shown_displays(shown, key, self.book.depth) else AHEAD_UNKNOWN

    cdef int remove(self, Order order) except -1:
        cdef int side = place_of(order.side)
        cdef bint waits = order.phase == WAITING
        (self.waiting if waits else <list>self.own[side]).remove(order)
        order.phase = SENT
        return 0 if waits else self.edges(side)

    cdef int end(self, Order order, int kind, object reason) except -1:
        order.phase = CANCELED if kind == IS_CANCELED else EXPIRED
        return self.due.tell(kind, order, order.price, order.left, False, reason)
