/** How many bodies may travel at once: as many as wished until the store cannot keep up, then fewer, then more again. */
export interface AdaptiveLimit {
  readonly now: number
  /** Says under which limit a request begins. */
  begin(): Round
  /** Takes note of a success; true when the limit rose. */
  succeed(round: Round): boolean
  /** Takes note of a store that cannot keep up, with so many under way; true when the limit fell. */
  slowDown(round: Round, inFlight: number): boolean
}

/** What begins between two falls. */
export type Round = number

/** How much longer it takes to try again what was too much the last time. */
const CAUTION = 8
/** It rises by this share of itself: 16 are 128 after 19 steps, where one at a time would take 112. */
const GROWTH = 1 / 8

// https://www.rfc-editor.org/rfc/rfc5681#section-3.1
/**
 * Halves the limit when the store cannot keep up and raises it, by an eighth and at least one, after as many successes as
 * it lets through; what was too much the last time is tried again much later. What began before the latest fall counts for
 * nothing: many fail at once for one and the same reason.
 */
export function createAdaptiveLimit(most: number): AdaptiveLimit {
  let now = most
  let tooMuch = most + 1
  let round = 0
  let successes = 0

  function rise(): number {
    const next = Math.min(most, now + Math.max(1, Math.floor(now * GROWTH)))
    return now < tooMuch - 1 ? Math.min(next, tooMuch - 1) : next
  }

  return {
    get now() {
      return now
    },
    begin: () => round,
    succeed(begun) {
      if (begun !== round || now === most) return false
      const needed = now === tooMuch - 1 ? now * CAUTION : now
      if (++successes < needed) return false
      successes = 0
      now = rise()
      return true
    },
    slowDown(begun, inFlight) {
      const half = Math.max(1, Math.floor(Math.min(now, inFlight) / 2))
      if (begun !== round || half === now) return false
      tooMuch = Math.min(now, inFlight)
      round++
      successes = 0
      now = half
      return true
    },
  }
}
