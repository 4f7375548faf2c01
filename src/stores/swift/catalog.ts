import {Failure} from '../../core/failure.ts'
import {printable} from '../../core/printable.ts'
import type {SwiftInterface} from '../remote.ts'

/** One address of one service, in the words of Keystone v3; v2 is translated to it. */
export interface CatalogEndpoint {
  readonly type: string
  readonly name: string
  readonly interface: string
  readonly region: string
  readonly url: string
}

export interface CatalogWish {
  readonly region?: string
  readonly interface?: SwiftInterface
  /** Known already: then nothing is looked for. */
  readonly storageUrl?: string
}

/** Returns where the object store is. Fails `config`, naming what there is, where region or interface are missing. */
export function findStorageUrl(catalog: readonly CatalogEndpoint[], wish: CatalogWish): string {
  if (wish.storageUrl !== undefined) return wish.storageUrl
  const wanted = wish.interface ?? 'public'
  const store = catalog.filter(each => each.type === 'object-store' || each.name === 'cloudFiles')
  if (store.length === 0) {
    const types = list(catalog.map(({type}) => type))
    throw new Failure('config', `The catalog has no object store; it has ${types}.`, {
      suggestion: 'Check the project: a sign-in without one has no catalog. Or set OS_STORAGE_URL.',
    })
  }
  const inRegion = wish.region === undefined ? store : store.filter(({region}) => region === wish.region)
  if (inRegion.length === 0) {
    throw new Failure('config', `There is no object store in region "${printable(wish.region ?? '')}".`, {
      suggestion: `Take one of ${list(store.map(({region}) => region))}, with --region or OS_REGION_NAME.`,
    })
  }
  const found = inRegion.filter(each => each.interface === wanted)
  if (found.length === 0) {
    throw new Failure('config', `The object store has no ${wanted} address there.`, {
      suggestion: `Take one of ${list(inRegion.map(each => each.interface))}, with --interface or OS_INTERFACE.`,
    })
  }
  const regions = new Set(found.map(({region}) => region))
  if (regions.size > 1) {
    throw new Failure('config', 'There are several regions, and none was chosen.', {
      suggestion: `Take one of ${list([...regions])}, with --region or OS_REGION_NAME.`,
    })
  }
  const url = found[0]?.url ?? ''
  if (!URL.canParse(url)) throw new Failure('config', `The catalog has an address that is no URL: "${printable(url)}".`)
  return url
}

function list(names: readonly string[]): string {
  const all = [...new Set(names)].filter(name => name !== '').toSorted()
  return all.length === 0 ? 'nothing' : printable(all.join(', '))
}
