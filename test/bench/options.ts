import {parseArgs} from 'node:util'
import {parseSize} from '../../src/core/sizes.ts'
import {PEERS, type Peer} from './peers.ts'

export interface BenchOptions {
  readonly sizes: readonly number[]
  readonly rounds: number
  readonly peers: readonly Peer[]
  readonly scenarios: readonly string[]
  /** Milliseconds that the sink waits before each answer. */
  readonly delay: number
  readonly json?: string
  /** Put tables and plots into docs/performance.md. */
  readonly isForDocs: boolean
}

const SCENARIOS = ['big-http', 'big-https', 'swift-http', 'swift-https', 'small-http', 'small-https', 'start']

export function readOptions(args: readonly string[]): BenchOptions {
  const names = [...new Set(PEERS.map(peer => peer.name))]
  const {values} = parseArgs({
    args: [...args],
    options: {
      size: {type: 'string', default: '1G'},
      rounds: {type: 'string', default: '3'},
      only: {type: 'string', default: names.join(',')},
      scenario: {type: 'string', default: SCENARIOS.join(',')},
      delay: {type: 'string', default: '0'},
      json: {type: 'string'},
      write: {type: 'boolean', default: false},
    },
  })
  const chosen = values.only.split(',')
  const unknown = chosen.find(name => !names.includes(name))
  if (unknown) throw new Error(`No peer is called ${unknown}: ${names.join(', ')}.`)
  const scenarios = SCENARIOS.filter(name => values.scenario.split(',').some(wish => name.startsWith(wish)))
  if (scenarios.length === 0) throw new Error(`No scenario is called ${values.scenario}: ${SCENARIOS.join(', ')}.`)
  return {
    sizes: values.size.split(',').map(parseSize),
    rounds: readCount('rounds', values.rounds, 1),
    peers: PEERS.filter(peer => chosen.includes(peer.name)),
    scenarios,
    delay: readCount('delay', values.delay, 0),
    isForDocs: values.write,
    ...(values.json === undefined ? {} : {json: values.json}),
  }
}

function readCount(name: string, text: string, least: number): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < least) throw new Error(`--${name} is not a number from ${least}: ${text}.`)
  return count
}
