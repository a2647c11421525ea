// The local Kraken that run.sh started, and how to wait for what a client is told.

export const venue = JSON.parse(process.env.KRAKENWIRE_PEERS_VENUE)
export const hosts = JSON.parse(process.env.KRAKENWIRE_HOSTS)

// Each client has an account of its own: they count their nonces in different units.
export const secret = 'a3Jha2Vud2lyZQ=='

export const LIMIT = { timeout: 20_000 }

// Calls `add(done)`; resolves with what `done` is called with.
export const told = (add) => new Promise((resolve) => add(resolve))

// Resolves once `wanted` items for which `is` holds were given to the function that `add` is called with.
export function collected(wanted, add, is = () => true) {
  const found = []
  return told((done) =>
    add((item) => {
      if (is(item) && found.push(item) === wanted) done(found)
    }),
  )
}
