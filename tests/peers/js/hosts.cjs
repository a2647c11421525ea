// Leads TLS connections for Kraken's hosts to the local Kraken; every other connection is left as it is.
// Use: NODE_EXTRA_CA_CERTS=ca.pem node --require ./hosts.cjs bot.js
// KRAKENWIRE_HOSTS is what `krakenwire venue --json --strict-hosts --tls-cert ... --tls-key ...` prints.
const tls = require('node:tls')

const addresses = JSON.parse(process.env.KRAKENWIRE_HOSTS ?? '{}')
const hosts = {
  'api.kraken.com': addresses.rest,
  'ws.kraken.com': addresses.ws_v2,
  'ws-auth.kraken.com': addresses.ws_v2_private,
  'ws-l3.kraken.com': addresses.ws_v2_level3,
}
const connect = tls.connect

tls.connect = function (options, ...more) {
  const host = options?.host ?? options?.hostname ?? ''
  if (!/(^|\.)kraken\.com$/.test(host)) return connect.call(this, options, ...more)
  if (!hosts[host]) throw new Error(`the local Kraken has no ${host}`)
  const { hostname, port } = new URL(hosts[host])
  return connect.call(this, { ...options, servername: options.servername ?? host, host: hostname, port }, ...more)
}
