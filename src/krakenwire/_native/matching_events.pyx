# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What the engine has recorded, told in the events of `krakenwire.venue.matching.orders`.

Nothing here touches a book. Next: `matching`, which has the engine make the records.
"""

from libc.stdint cimport int64_t

from krakenwire._native.matching_engine cimport (
    KW_ACCEPTED, KW_AMENDED, KW_CHANGED, KW_FINISHED, KW_RESTED, KW_TRADED, kw_record, kw_records,
)

cdef extern from *:
    """
    /* An instance of a subclass of tuple that adds nothing, as NamedTuples are. */
    static inline PyObject *kw_named_tuple(PyObject *cls, PyObject *fields) {
        PyObject *made, *args = PyTuple_Pack(1, fields);
        if (!args) return NULL;
        made = PyTuple_Type.tp_new((PyTypeObject *)cls, args, NULL);
        Py_DECREF(args);
        return made;
    }
    """
    object kw_named_tuple(object cls, object fields)

cdef tuple REASONS = ("trade", "cancel", "amend", "self trade", "refill", "filled", "ioc", "no liquidity")
cdef object Accepted, Traded, Rested, Changed, Removed, Finished, Amended, Refused, BatchResult
cdef tuple REFUSALS = None


cdef int load_events(object orders) except -1:
    """Take the events out of their module."""
    global Accepted, Traded, Rested, Changed, Removed, Finished, Amended, Refused, BatchResult, REFUSALS
    Accepted, Traded, Rested, Changed = orders.Accepted, orders.Traded, orders.Rested, orders.Changed
    Removed, Finished, Amended, Refused = orders.Removed, orders.Finished, orders.Amended, orders.Refused
    BatchResult = orders.BatchResult
    REFUSALS = orders.REFUSALS
    return 0


cdef object trade_of(kw_record r):
    return kw_named_tuple(Traded, (
        r.order_id, r.taker_id, side_name(r.is_sell), r.price, r.qty, r.maker_left, r.taker_left, r.time_ns))


cdef object event_of(kw_record r):
    side = side_name(r.is_sell)
    if r.kind == KW_TRADED:
        return trade_of(r)
    if r.kind == KW_RESTED:
        return kw_named_tuple(Rested, (side, r.price, r.order_id, r.qty, r.time_ns))
    if r.kind == KW_ACCEPTED:
        return kw_named_tuple(Accepted, (r.order_id, side, r.price or None, r.qty, r.time_ns))
    if r.kind == KW_FINISHED:
        return kw_named_tuple(Finished, (r.order_id, side, r.qty, r.time_ns, REASONS[r.reason]))
    if r.kind == KW_AMENDED:
        return kw_named_tuple(Amended, (r.order_id, r.qty, r.time_ns))
    return kw_named_tuple(
        Changed if r.kind == KW_CHANGED else Removed,
        (side, r.price, r.order_id, r.qty, r.time_ns, REASONS[r.reason]))


cdef list events_of(const kw_records *records):
    """Return the events of one command."""
    cdef list events = []
    cdef size_t at = 0
    while at < records.n:
        events.append(event_of(records.at[at]))
        at += 1
    return events


cdef list trades_of(const kw_records *records):
    """Return records that are all trades."""
    cdef list trades = []
    cdef size_t at = 0
    while at < records.n:
        trades.append(trade_of(records.at[at]))
        at += 1
    return trades


cdef object refusal_of(int64_t order_id, int64_t code, int64_t time_ns):
    return kw_named_tuple(Refused, (order_id, REFUSALS[code], time_ns))


cdef object batch_result(int64_t done, int64_t refused, int64_t trades):
    return kw_named_tuple(BatchResult, (done, refused, trades))
