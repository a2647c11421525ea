// Every program of the how-to about other clients runs.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'

import { LIMIT, secret, venue } from './venue.mjs'

const page = readFileSync('other-clients.md', 'utf8')
const env = { ...process.env, KRAKEN_API_KEY: 'docs', KRAKEN_API_SECRET: secret }
delete env.NODE_TEST_CONTEXT // it would report like a test

for (const [, program] of page.matchAll(/^```js\n(.*?)^```$/gms)) {
  test(`the program that begins ${program.split('\n')[0]}`, LIMIT, async () => {
    const there = program.replaceAll('127.0.0.1:8080', new URL(venue.rest).host)
    const { stdout } = await promisify(execFile)('node', ['--input-type=module', '--eval', there], { env })
    assert.notEqual(stdout, '')
  })
}
