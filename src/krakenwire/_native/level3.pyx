# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The level3 twins: a book of orders, its event, and the reader that takes frames straight into the book."""


cdef class L3View:
    """What can be read from an L3 book."""


cdef class FrozenL3Book(L3View):
    """An L3 book as it was at one moment."""


cdef class L3Book(L3View):
    """One symbol's book of individual orders."""


cdef class Level3Update:
    """A snapshot or update of one L3 book."""


cdef class Level3Reader:
    """Takes level3 frames into books."""

    def __init__(self, book_for):
        self._book_for = book_for
        self._books = {}
        self.unusual = 0

    cdef object take(self, const char *data, Py_ssize_t size):
        """Return status and event of a frame; None when it is not taken, and nothing has changed."""
        return None

    def forget(self, symbol):
        """Drop a symbol's book."""
        self._books.pop(symbol, None)
