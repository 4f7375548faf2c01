import {isFailure} from '../core/failure.ts'
import type {Call, Store, Target} from '../stores/store.ts'
import {originNotes, readCorsRule} from './cors-rule.ts'

/** Lets pages of these origins upload to the containers, as those of earlier pages may; returns what the person should know. */
export async function setPageCors(
  store: Pick<Store, 'addCors'>,
  {remote}: Target,
  containers: readonly string[],
  origins: readonly string[],
  call: Call,
  isWanted = (_origin: string): boolean => true,
): Promise<readonly string[]> {
  if (origins.length === 0) return []
  const rule = readCorsRule({origin: origins, preset: 'browser-upload'})
  const notes = new Set(originNotes(origins))
  for (const container of containers) {
    for (const note of await store.addCors({remote, container, key: ''}, rule, isWanted, call)) notes.add(note)
  }
  return [...notes]
}

/** The same for a page that is served; where the store lets nobody set it, or not us, that is told. */
export async function setServedCors(
  store: Pick<Store, 'addCors'>,
  target: Target,
  containers: readonly string[],
  origins: readonly string[],
  call: Call,
): Promise<readonly string[]> {
  try {
    return await setPageCors(store, target, containers, origins, call, isNoServer)
  } catch (error) {
    if (!isFailure(error, 'unsupported', 'forbidden')) throw error
    const {remote, container} = target
    return [
      `No CORS was set: ${error.message}`,
      `Whether browsers are let in all the same: skylift cors test ${remote}://${container} --origin ${origins[0]} --method PUT`,
    ]
  }
}

/** False for an earlier run of `page serve`: each may have another port, and the last one has ended. */
function isNoServer(origin: string): boolean {
  return !/^http:\/\/127\.0\.0\.1:\d+$/u.test(origin)
}
