import {measureCommand, type Command} from './measure.ts'
import type {Peer, Protocol} from './peers.ts'
import type {Run, Scenario} from './report.ts'
import type {Sink, SinkStats} from './sink.ts'

/** A scenario whose files are in place. */
export interface Stage extends Scenario {
  readonly protocol: Protocol
  /** Returns undefined for a peer that has no part in it. */
  prepare(peer: Peer): Promise<Command | undefined>
}

export interface Rounds {
  readonly runs: readonly Run[]
  /** One sentence each; a peer that failed once is not run again. */
  readonly failures: readonly string[]
}

/** Runs every peer once, then all again: what else the machine does meets all of them alike. */
export async function runRounds(
  stage: Stage,
  peers: readonly Peer[],
  rounds: number,
  {sink, program}: {sink: Sink; program: string},
): Promise<Rounds> {
  const runs: Run[] = []
  const failures: string[] = []
  const left = new Set(peers.filter(({protocol}) => protocol === stage.protocol))
  for (let round = 1; round <= rounds; round++) {
    for (const peer of left) {
      try {
        await sink.reset()
        const command = await stage.prepare(peer)
        if (command === undefined) continue
        const usage = await measureCommand(program, command)
        const stats = await sink.stats()
        await confirm(stage, sink, stats)
        runs.push({scenario: stage.name, peer: peer.name, round, ...usage, stats})
      } catch (error) {
        left.delete(peer)
        failures.push(`${stage.name}: ${peer.name} ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  return {runs, failures}
}

/** Beside the content: where an upload of Swift writes down that it has begun. */
const ASIDE: Readonly<Record<Protocol, number>> = {s3: 0, swift: 1024}

/** Throws unless all bytes came, once, and the objects stand there: a peer that failed silently was only fast. */
async function confirm({protocol, bytes, files}: Stage, sink: Sink, stats: SinkStats): Promise<void> {
  const came = `${stats.bytes} of ${bytes} bytes came, in ${stats.part} parts and ${stats.put} whole objects`
  const aside = stats.bytes - bytes
  if (aside < 0 || aside > ASIDE[protocol] || stats.cut > 0) throw new Error(`${came}; ${stats.cut} bodies broke off.`)
  if (files > 1) {
    if (stats.put !== files) throw new Error(`${came}, not ${files} objects.`)
    return
  }
  const path = protocol === 'swift' ? '/v1/AUTH_test/b/k' : '/b/k'
  const head = await fetch(`${sink.http}${path}`, {method: 'HEAD'})
  const size = Number(head.headers.get('content-length'))
  if (head.status !== 200 || size !== bytes) throw new Error(`${came}, but the object has ${size} bytes.`)
}
