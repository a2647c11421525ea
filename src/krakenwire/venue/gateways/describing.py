"""Answers with their orders in words, as v1 and REST give them. Source: v1 reference, section 10.7."""

from __future__ import annotations

from msgspec import structs

from krakenwire.model import Added, AddOrder, Answer, BatchAdd, BatchAdded, Edited, TradingRequest
from krakenwire.protocol.descriptions import record_words, request_words
from krakenwire.venue.front import Front
from krakenwire.venue.trading import Account

__all__ = ["described"]


def described(answer: Answer, request: TradingRequest, account: Account, front: Front) -> Answer:
    """Return an answer that says in words which orders it is about; others as they are."""
    if isinstance(answer, Added) and isinstance(request, AddOrder):
        return _added(answer, request, front)
    if isinstance(answer, BatchAdded) and isinstance(request, BatchAdd):
        asked = zip(answer.orders, request.orders, strict=True)
        return BatchAdded(tuple(_added(row, order, front) if isinstance(row, Added) else row for row, order in asked))
    if isinstance(answer, Edited) and answer.order_id:
        order = account.orders_seen[answer.order_id]
        words = record_words(front.records.order(order), front.pairs[order.symbol])
        return structs.replace(answer, descr=words.order)
    return answer


def _added(answer: Added, order: AddOrder, front: Front) -> Added:
    words = request_words(order, front.pairs[order.symbol])
    return structs.replace(answer, descr=words.order, close=words.close)
