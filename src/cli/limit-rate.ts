import {Flags} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import {parseSize} from '../core/sizes.ts'
import {createPace} from '../upload/pace.ts'
import type {Pace} from '../upload/pace.ts'

/** Bytes a second: `10M`, or `10M/s`. */
const rateFlag = Flags.custom<number>({
  parse(text) {
    const rate = parseSize(text.replace(/\/s$/u, ''))
    if (rate > 0) return Promise.resolve(rate)
    throw new Failure('usage', 'Nothing can be sent at 0 bytes a second.', {
      suggestion: 'Leave --limit-rate out where there is no limit.',
    })
  },
  helpValue: 'RATE',
})

export const limitRateFlag = {
  'limit-rate': rateFlag({
    description: 'bytes a second, over all connections, such as 10M',
    env: 'SKYLIFT_LIMIT_RATE',
  }),
}

/** Makes the one limit of a run for all its connections. Fails `unsupported`. */
export function findPace(flags: {readonly 'limit-rate'?: number | undefined; readonly engine: string}): {
  readonly pace?: Pace
} {
  const rate = flags['limit-rate']
  if (rate === undefined) return {}
  if (flags.engine !== 'sdk') return {pace: createPace(rate)}
  throw new Failure('unsupported', 'The sender of the AWS SDK knows no --limit-rate.', {
    suggestion: 'Leave --engine or --limit-rate out.',
  })
}
