import {measureCommand, type Command} from './measure.ts'
import type {Peer} from './peers.ts'
import type {Run, Scenario} from './report.ts'
import type {Sink, SinkStats} from './sink.ts'

/** A scenario whose files are in place. */
export interface Stage extends Scenario {
  prepare(peer: Peer): Promise<Command>
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
  const left = new Set(peers)
  for (let round = 1; round <= rounds; round++) {
    for (const peer of left) {
      try {
        await sink.reset()
        const usage = await measureCommand(program, await stage.prepare(peer))
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

/** Throws unless all bytes came, once, and the objects stand there: a peer that failed silently was only fast. */
async function confirm(stage: Stage, sink: Sink, stats: SinkStats): Promise<void> {
  const came = `${stats.bytes} of ${stage.bytes} bytes came, in ${stats.part} parts and ${stats.put} whole objects`
  if (stats.bytes !== stage.bytes || stats.cut > 0) throw new Error(`${came}; ${stats.cut} bodies broke off.`)
  if (stage.files > 1) {
    if (stats.put !== stage.files) throw new Error(`${came}, not ${stage.files} objects.`)
    return
  }
  const head = await fetch(`${sink.http}/b/k`, {method: 'HEAD'})
  const size = Number(head.headers.get('content-length'))
  if (head.status !== 200 || size !== stage.bytes) throw new Error(`${came}, but the object has ${size} bytes.`)
}
