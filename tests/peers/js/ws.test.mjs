// What Node and browsers connect with: ws, and undici as Node's own WebSocket. The subprotocol is ts-kraken's.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'

import KrakenClient from 'kraken-api'
import { WebSocket as Undici } from 'undici'
import { WebSocket as Ws } from 'ws'

import { LIMIT, secret, venue } from './venue.mjs'

const BOOK = { channel: 'book', symbol: ['BTC/USD'], depth: 25 }

// The checksum needs the numbers as they are written: each becomes a text before JSON.parse takes its zeros.
const exact = (text) => JSON.parse(text.replace(/("(?:price|qty)":)([0-9.]+)/g, '$1"$2"'))
const digits = (text) => text.replace('.', '').replace(/^0+/, '')

class Side {
  constructor(sign) {
    this.sign = sign
    this.levels = []
  }

  apply(updates) {
    for (const { price, qty } of updates) {
      this.levels = this.levels.filter((level) => level.price !== price)
      if (Number(qty)) this.levels.push({ price, qty })
    }
    this.levels.sort((a, b) => this.sign * (a.price - b.price)).splice(BOOK.depth)
  }

  text() {
    return this.levels.slice(0, 10).map(({ price, qty }) => digits(price) + digits(qty)).join('')
  }
}

// Opens a connection; `next(is)` is the next message for which `is` holds, in their order.
async function opened(WebSocket, protocols = [], address = venue.ws_v2) {
  const socket = new WebSocket(address, protocols)
  const queue = []
  let wake
  socket.addEventListener('message', ({ data }) => {
    queue.push(data)
    wake?.()
  })
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  const next = async (is) => {
    for (;;) {
      while (!queue.length) await new Promise((resolve) => (wake = resolve))
      const message = exact(queue.shift())
      if (is(message)) return message
    }
  }
  return { socket, next, send: (message) => socket.send(JSON.stringify(message)) }
}

for (const [name, WebSocket] of Object.entries({ ws: Ws, undici: Undici })) {
  test(`${name}: the subprotocol it offers is agreed to, and the status comes first`, LIMIT, async () => {
    const { socket, next } = await opened(WebSocket, 'v1')
    assert.equal(socket.protocol, 'v1')
    assert.equal((await next(() => true)).channel, 'status')
    socket.close()
  })

  test(`${name}: every checksum of the book is right`, LIMIT, async () => {
    const { socket, next, send } = await opened(WebSocket)
    send({ method: 'subscribe', params: BOOK, req_id: 1 })
    assert.equal((await next(({ req_id }) => req_id === 1)).success, true)
    const asks = new Side(1)
    const bids = new Side(-1)
    for (let times = 0; times < 30; times++) {
      const { data: [update] } = await next(({ channel }) => channel === 'book')
      asks.apply(update.asks)
      bids.apply(update.bids)
      assert.equal(crc32(asks.text() + bids.text()), update.checksum)
    }
    socket.close()
  })

  test(`${name}: pings are answered, the connection beats and closes cleanly`, LIMIT, async () => {
    const { socket, next, send } = await opened(WebSocket)
    send({ method: 'ping', req_id: 7 })
    assert.equal((await next(({ method }) => method === 'pong')).req_id, 7)
    send({ method: 'subscribe', params: { channel: 'status' } })
    send({ method: 'subscribe', params: { channel: 'ticker', symbol: ['BTC/USD'] } })
    await next(({ channel }) => channel === 'heartbeat')
    const closed = new Promise((resolve) => socket.addEventListener('close', resolve))
    socket.close(1000)
    assert.equal((await closed).code, 1000)
  })
}

test('ws: a ping of the protocol is answered', LIMIT, async () => {
  const { socket } = await opened(Ws)
  const pong = new Promise((resolve) => socket.once('pong', resolve))
  socket.ping('krakenwire')
  assert.equal(String(await pong), 'krakenwire')
  socket.close()
})

test('ws: level3 is at the host that Kraken has for it', LIMIT, async () => {
  const { result: { token } } = await new KrakenClient('kraken-api', secret).api('GetWebSocketsToken')
  const { socket, next, send } = await opened(Ws, [], 'wss://ws-l3.kraken.com/v2')
  send({ method: 'subscribe', params: { channel: 'level3', symbol: ['BTC/USD'], depth: 10, token }, req_id: 1 })
  assert.equal((await next(({ req_id }) => req_id === 1)).success, true)
  const { data: [book] } = await next(({ channel, type }) => channel === 'level3' && type === 'snapshot')
  assert.ok(book.bids.every(({ order_id }) => order_id) && book.bids.length >= 10)
  socket.close()
})
