/**
 * Milliseconds within which something ends that waits for nothing: far less than any wait it could be taken for, and
 * enough for a machine at a tenth of its speed. How quick it really is, is a matter of the bench.
 */
export const SOON = 15_000

/** Milliseconds of CPU that `run` takes: unlike time by the clock, they do not grow with what else the machine does. */
export function cpuOf(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const {user, system} = process.cpuUsage(before)
  return (user + system) / 1000
}
