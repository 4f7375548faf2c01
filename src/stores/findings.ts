import type {ChecksumMode} from './store.ts'

/** What was learned about an endpoint by using it; kept so that the next run need not learn it again. */
export interface Finding {
  /** The store verifies and echoes CRC-32 on parts, or does not. */
  readonly checksum?: ChecksumMode
  /** `If-None-Match: *` is honoured on a PUT, or refused as unknown. */
  readonly conditionalPut?: boolean
  /** Likewise on Complete: some stores have the one and not the other. */
  readonly conditionalComplete?: boolean
}

/** Where findings are kept, by endpoint. Losing them costs a request or two, never correctness. */
export interface Findings {
  get(endpoint: string): Finding
  learn(endpoint: string, finding: Finding): void
}

/** Findings that end with the process. */
export function memoryFindings(): Findings {
  const known = new Map<string, Finding>()
  return {
    get: endpoint => known.get(endpoint) ?? {},
    learn: (endpoint, finding) => void known.set(endpoint, {...known.get(endpoint), ...finding}),
  }
}
