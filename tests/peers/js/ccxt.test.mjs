// ccxt and ccxt.pro: REST and WebSocket, `urls` changed; and, led there by its host names, with nothing changed.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import ccxt from 'ccxt'

import { LIMIT, hosts, secret, venue } from './venue.mjs'

const SYMBOL = 'BTC/USD'
// A call every 5 ms at most: ccxt counts nonces in milliseconds.
const account = { apiKey: 'ccxt', secret, rateLimit: 5 }
const kraken = new ccxt.pro.kraken(account)
const untouched = new ccxt.pro.kraken(account)

before(async () => {
  const { api } = kraken.urls
  api.public = api.private = venue.rest
  Object.assign(api.ws, {
    public: venue.ws_v1,
    private: venue.ws_v1,
    publicV2: venue.ws_v2,
    privateV2: venue.ws_v2,
  })
  await kraken.loadHttpProxyAgent() // what ccxt wants for ws://
  await kraken.loadMarkets()
})

after(() => Promise.all([kraken.close(), untouched.close()]))

test('REST: markets and market data', LIMIT, async () => {
  assert.deepEqual({ ...kraken.market(SYMBOL).precision }, { amount: 1e-8, price: 0.1 })
  const book = await kraken.fetchOrderBook(SYMBOL, 50)
  assert.ok(book.bids.length === 50 && book.bids[0][0] < book.asks[0][0])
  assert.ok((await kraken.fetchTrades(SYMBOL, undefined, 20)).length === 20)
  assert.ok((await kraken.fetchOHLCV(SYMBOL, '5m', undefined, 100)).length === 100)
  const ticker = await kraken.fetchTicker(SYMBOL)
  assert.ok(ticker.bid < ticker.ask)
})

test('REST: orders are placed, amended, cancelled and filled', LIMIT, async () => {
  const { id } = await kraken.createOrder(SYMBOL, 'limit', 'buy', 0.01, 20_000, { clientOrderId: 'ccxt-js' })
  await kraken.editOrder(id, SYMBOL, 'limit', 'buy', 0.02, 21_000)
  const order = await kraken.fetchOrder(id, SYMBOL)
  assert.deepEqual([order.amount, order.price, order.clientOrderId], [0.02, 21_000, 'ccxt-js'])
  await kraken.cancelOrder(id, SYMBOL)
  await assert.rejects(kraken.cancelOrder(id, SYMBOL), ccxt.OrderNotFound)
  await assert.rejects(kraken.createOrder(SYMBOL, 'limit', 'buy', 100_000, 20_000), ccxt.InsufficientFunds)

  const bought = await kraken.createOrder(SYMBOL, 'market', 'buy', 0.002)
  assert.equal((await kraken.fetchOrder(bought.id, SYMBOL)).status, 'closed')
  assert.ok((await kraken.fetchMyTrades(SYMBOL)).some((trade) => trade.order === bought.id))
  const stop = await kraken.createOrder(SYMBOL, 'market', 'sell', 0.002, undefined, { stopLossPrice: 500 })
  const open = await kraken.fetchOpenOrders(SYMBOL)
  assert.deepEqual(open.map((found) => found.id), [stop.id])
  await kraken.cancelAllOrders()
  assert.deepEqual(await kraken.fetchOpenOrders(SYMBOL), [])
})

test('WebSocket: market data', LIMIT, async () => {
  for (let times = 0; times < 25; times++) {
    const book = await kraken.watchOrderBook(SYMBOL, 10)
    assert.ok(book.bids.length === 10 && book.bids[0][0] < book.asks[0][0])
  }
  assert.ok((await kraken.watchTrades(SYMBOL)).every((trade) => trade.amount > 0))
  assert.equal((await kraken.watchTicker(SYMBOL)).symbol, SYMBOL)
  assert.ok((await kraken.watchOHLCV(SYMBOL, '1m')).every(([, , high, low]) => low <= high))
})

test('WebSocket: orders are placed, amended, cancelled and filled, and watched', LIMIT, async () => {
  assert.ok((await kraken.watchBalance()).USD.total > 0)
  const watched = kraken.watchOrders(SYMBOL)
  const { id } = await kraken.createOrderWs(SYMBOL, 'limit', 'buy', 0.01, 20_000)
  assert.equal((await watched).at(-1).id, id)
  await kraken.editOrderWs(id, SYMBOL, 'limit', 'buy', 0.02, 21_000)
  await kraken.cancelOrderWs(id)
  await assert.rejects(kraken.cancelOrderWs('OAAAAA-AAAAA-AAAAAA'), ccxt.InvalidOrder)
  await assert.rejects(kraken.createOrderWs(SYMBOL, 'limit', 'buy', 100_000, 20_000), /EOrder:Insufficient funds/)

  const trades = kraken.watchMyTrades(SYMBOL)
  const bought = await kraken.createOrderWs(SYMBOL, 'market', 'buy', 0.002)
  assert.ok((await trades).some((trade) => trade.order === bought.id))
})

test('with nothing changed: it is cut off, and goes on', LIMIT, async () => {
  const seen = async (watched) => {
    const { id } = await untouched.createOrderWs(SYMBOL, 'limit', 'buy', 0.01, 20_000)
    const [order] = (await watched).filter((found) => found.id === id)
    assert.ok(order)
    return untouched.cancelOrderWs(id)
  }
  const first = untouched.watchOrders(SYMBOL)
  await seen(first)

  const broken = assert.rejects(untouched.watchMyTrades(SYMBOL), ccxt.NetworkError)
  const answer = await fetch(`${hosts.control}/cut`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${hosts.control_token}` },
    body: JSON.stringify({ account: 'ccxt' }),
  })
  assert.equal(answer.status, 200)
  await broken
  await seen(untouched.watchOrders(SYMBOL))
})
