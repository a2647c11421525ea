// node-kraken-api: REST and WebSocket v1. Its hosts are constants and it speaks TLS only, so nothing at all is changed.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import nodeKrakenApi from 'node-kraken-api'

import { LIMIT, collected, secret, told } from './venue.mjs'

const { Kraken } = nodeKrakenApi
const kraken = new Kraken({ key: 'node-kraken-api', secret, timeout: 10_000 })
const refused = []
kraken.ws.priv.on('error', (error) => refused.push(error.message))

after(async () => {
  for (const connection of [kraken.ws.pub, kraken.ws.priv]) if (connection.state === 'open') await connection.close()
})

const REST = {
  time: [(result) => result.unixtime > 0],
  systemStatus: [(result) => result.status === 'online'],
  assets: [(result) => result.XXBT.altname === 'XBT', { asset: 'XBT,ZUSD' }],
  assetPairs: [(result) => result.XXBTZUSD.wsname === 'XBT/USD', { pair: 'XBTUSD' }],
  ticker: [(result) => Number(result.XXBTZUSD.b[0]) < Number(result.XXBTZUSD.a[0]), { pair: 'XBTUSD' }],
  ohlc: [(result) => result.XXBTZUSD.length > 100, { pair: 'XBTUSD', interval: 5 }],
  depth: [(result) => result.XXBTZUSD.asks.length === 3, { pair: 'XXBTZUSD', count: 3 }],
  trades: [(result) => /^[0-9]{19}$/.test(result.last), { pair: 'XBTUSD' }],
  spread: [(result) => result.XXBTZUSD.length > 0, { pair: 'XBTUSD' }],
  balance: [(result) => Number(result.ZUSD) > 0],
  tradeBalance: [(result) => Number(result.eb) > 0, { asset: 'ZUSD' }],
  openPositions: [(result) => Object.keys(result).length === 0],
  tradeVolume: [(result) => result.fees.XXBTZUSD.fee === '0.4000', { pair: 'XBTUSD' }],
}

for (const [method, [holds, options]] of Object.entries(REST)) {
  test(`REST: ${method}`, LIMIT, async () => assert.ok(holds(await kraken[method](options))))
}

test('REST: a refusal carries the text of Kraken', LIMIT, async () => {
  const stranger = new Kraken({ key: 'node-kraken-api', secret: 'AAAA', timeout: 10_000 })
  await assert.rejects(kraken.depth({ pair: 'NOPE' }), { body: { error: ['EQuery:Unknown asset pair'] } })
  await assert.rejects(stranger.balance(), { body: { error: ['EAPI:Invalid signature'] } })
})

test('REST: an order is placed, shown and cancelled, another filled and booked', LIMIT, async () => {
  const order = { pair: 'XBTUSD', type: 'buy', ordertype: 'limit', price: '20000', volume: '0.01', userref: 7 }
  const { txid: [placed] } = await kraken.addOrder(order)
  assert.equal((await kraken.openOrders()).open[placed].userref, 7)
  assert.deepEqual(await kraken.cancelOrder({ txid: placed }), { count: 1 })
  assert.equal((await kraken.queryOrders({ txid: placed }))[placed].status, 'canceled')
  await assert.rejects(kraken.cancelOrder({ txid: placed }), { body: { error: ['EOrder:Unknown order'] } })
  await assert.rejects(kraken.addOrder({ ...order, volume: '100000' }), {
    body: { error: ['EOrder:Insufficient funds'] },
  })

  const { txid: [filled] } = await kraken.addOrder({ pair: 'XBTUSD', type: 'buy', ordertype: 'market', volume: '0.01' })
  const { trades } = await kraken.tradesHistory({})
  const [id, trade] = Object.entries(trades).find(([, { ordertxid }]) => ordertxid === filled)
  assert.equal(trade.pair, 'XXBTZUSD')
  assert.equal((await kraken.queryTrades({ txid: id }))[id].ordertxid, filled)
  const { ledger } = await kraken.ledgers({ type: 'trade' })
  const booked = Object.values(ledger).filter(({ refid }) => refid === id)
  assert.deepEqual(booked.map(({ asset }) => asset).sort(), ['XXBT', 'ZUSD'])
})

test('v1: ticker, ohlc, trade and spread are told for both pairs', LIMIT, async () => {
  for (const channel of ['ticker', 'ohlc', 'trade', 'spread']) {
    const subscriber = kraken.ws[channel]()
    const missing = new Set(['XBT/USD', 'ETH/USD'])
    const both = told((done) => subscriber.on('update', (_, pair) => missing.delete(pair) && !missing.size && done()))
    await subscriber.subscribe('XBT/USD', 'ETH/USD')
    await both
    await subscriber.unsubscribe('XBT/USD')
    await subscriber.unsubscribe('ETH/USD')
  }
})

test('v1: the client finds every checksum of the book right', LIMIT, async () => {
  const book = kraken.ws.book({ depth: 10 })
  const snapshots = []
  let bothSides = 0 // the client takes such a message for two, looks for a checksum in each, and subscribes again
  kraken.ws.pub.on('array', (message) => (bothSides += message.length === 5))
  book.on('snapshot', (snapshot) => snapshots.push(snapshot))
  const mirrored = collected(30, (one) => book.on('mirror', one))
  await book.subscribe('XBT/USD')
  for (const { as, bs } of await mirrored) assert.ok(Number(bs[0][0]) < Number(as[0][0]))
  assert.ok(snapshots.length <= 1 + bothSides)
})

test('v1: an unknown pair is refused with its text', LIMIT, async () => {
  const subscriber = kraken.ws.ticker()
  const error = told((done) => subscriber.on('error', done))
  subscriber.subscribe('NOPE/USD')
  assert.equal((await error).message, 'Currency pair not supported NOPE/USD')
})

test('v1: a connection answers pings and beats', LIMIT, async () => {
  await kraken.ws.pub.ping()
  await told((done) => kraken.ws.pub.once('heartbeat', done))
})

test('v1: orders are placed, cancelled and filled, and every step is told', LIMIT, async () => {
  const { token } = await kraken.getWebSocketsToken()
  const states = {}
  const orders = kraken.ws.openOrders({ token })
  const trades = kraken.ws.ownTrades({ token })
  let settle
  orders.on('update', (updates) => {
    for (const [id, { status }] of updates.flatMap(Object.entries)) if (status) (states[id] ??= []).push(status)
    settle?.()
  })
  const reached = (id, status) =>
    told((done) => {
      settle = () => states[id]?.includes(status) && done(states[id])
      settle()
    })
  await orders.subscribe()
  await trades.subscribe()

  const limit = { token, pair: 'XBT/USD', type: 'buy', ordertype: 'limit', price: '20000', volume: '0.01' }
  const ids = [(await kraken.ws.addOrder(limit)).txid, (await kraken.ws.addOrder(limit)).txid]
  assert.equal((await kraken.ws.cancelOrder({ token, txid: ids })).length, 2)
  for (const id of ids) assert.deepEqual(await reached(id, 'canceled'), ['pending', 'open', 'canceled'])

  const fill = told((done) => trades.on('update', (updates) => done(updates.flatMap(Object.values))))
  const { txid } = await kraken.ws.addOrder({ token, pair: 'XBT/USD', type: 'buy', ordertype: 'market', volume: '0.01' })
  assert.ok((await fill).every(({ ordertxid, pair }) => ordertxid === txid && pair === 'XBT/USD'))
  assert.deepEqual(await reached(txid, 'closed'), ['pending', 'open', 'closed'])

  await assert.rejects(kraken.ws.addOrder({ ...limit, volume: '100000' }), { message: 'EOrder:Insufficient funds' })
  const [unknown] = await kraken.ws.cancelOrder({ token, txid: ['OAAAAA-AAAAA-AAAAAA'] })
  assert.deepEqual([unknown.status, unknown.errorMessage], ['error', 'EOrder:Invalid order'])
  assert.deepEqual(refused, ['EOrder:Insufficient funds', 'EOrder:Invalid order'])
  assert.equal((await kraken.ws.cancelAll({ token })).count, 0)
  assert.equal((await kraken.ws.cancelAllOrdersAfter({ token, timeout: 0 })).triggerTime, '0')
})
