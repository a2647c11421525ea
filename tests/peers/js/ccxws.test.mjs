// ccxws: WebSocket v1, with the map of symbols from REST at a constant address. Nothing at all is changed.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import ccxws from 'ccxws'

import { LIMIT, collected, told } from './venue.mjs'

const MARKET = { id: 'XXBTZUSD', base: 'BTC', quote: 'USD' }
const client = new ccxws.KrakenClient({ autoloadSymbolMaps: false })
const errors = []
client.on('error', (error) => errors.push(error))

before(() => client.loadSymbolMaps())
after(() => client.close())

test('tickers, trades and candles are told', LIMIT, async () => {
  const news = ['ticker', 'trade', 'candle'].map((event) => told((done) => client.once(event, done)))
  client.subscribeTicker(MARKET)
  client.subscribeTrades(MARKET)
  client.subscribeCandles(MARKET)
  const [ticker, trade, candle] = await Promise.all(news)
  assert.ok(Number(ticker.bid) < Number(ticker.ask))
  assert.match(trade.side, /^(buy|sell)$/)
  assert.ok(Number(candle.low) <= Number(candle.high))
  assert.deepEqual(errors, [])
})

test('the book has its depth, and each update a checksum', LIMIT, async () => {
  const snapshot = told((done) => client.once('l2snapshot', done))
  const updates = collected(20, (one) => client.on('l2update', one))
  client.subscribeLevel2Updates(MARKET)
  const { asks, bids } = await snapshot
  assert.deepEqual([asks.length, bids.length], [500, 500])
  for (const update of await updates) assert.match(update.checksum, /^[0-9]+$/)
})

test('it connects anew and subscribes again', LIMIT, async () => {
  const news = told((done) => client.once('connected', () => client.once('l2snapshot', done)))
  client.reconnect()
  assert.equal((await news).asks.length, 500)
  assert.deepEqual(errors, [])
})
