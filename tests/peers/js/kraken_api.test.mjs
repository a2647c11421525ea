// kraken-api: REST only, `url` changed. It posts forms without naming their type, to public calls too.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import KrakenClient from 'kraken-api'

import { LIMIT, secret, venue } from './venue.mjs'

const kraken = new KrakenClient('kraken-api', secret, { url: venue.rest, timeout: 10_000 })

// Its own nonce is the millisecond: two calls in one would have the same.
let nonce = Date.now() * 1000
const call = async (method, params = {}) => (await kraken.api(method, { nonce: ++nonce, ...params })).result

for (const method of ['Ticker', 'Depth', 'Trades', 'Spread', 'OHLC', 'AssetPairs']) {
  test(`public ${method} of one pair`, LIMIT, async () => {
    const { result } = await kraken.api(method, { pair: 'XXBTZUSD' })
    assert.deepEqual(Object.keys(result).filter((name) => name !== 'last'), ['XXBTZUSD'])
  })
}

for (const method of ['Balance', 'TradeBalance', 'OpenOrders', 'ClosedOrders', 'TradesHistory', 'OpenPositions']) {
  test(`private ${method}`, LIMIT, async () => assert.equal(typeof (await call(method)), 'object'))
}

test('its own nonces are good', LIMIT, async () => assert.ok((await kraken.api('GetWebSocketsToken')).result.token))

test('orders are placed, shown and cancelled', LIMIT, async () => {
  const order = { pair: 'XBTUSD', type: 'buy', ordertype: 'limit', price: '20000', volume: 0.01 }
  const { txid: [txid] } = await call('AddOrder', order)
  assert.ok((await call('OpenOrders')).open[txid])
  assert.deepEqual(await call('CancelOrder', { txid }), { count: 1 })
  const close = { ordertype: 'limit', price: '21000' }
  const { descr } = await call('AddOrder', { ...order, close, validate: true })
  assert.equal(descr.close, 'close position @ limit 21000.0')

  const refusals = [
    ['CancelOrder', { txid }, 'Order:Unknown order'],
    ['AddOrder', { ...order, volume: 100_000 }, 'Order:Insufficient funds'],
    ['AddOrder', { ...order, price: '20000.123' }, 'Order:Tick size check failed'],
    ['Depth', { pair: 'NOPE' }, 'Query:Unknown asset pair'],
    ['Depth', {}, 'General:Invalid arguments'],
  ]
  for (const [method, params, message] of refusals) await assert.rejects(call(method, params), { message })
})
