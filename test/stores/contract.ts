import type {ContractOptions, OpenedStore} from './contract/bench.ts'
import {createBench} from './contract/bench.ts'
import {describeContainers} from './contract/containers.ts'
import {describeKeys} from './contract/keys.ts'
import {describeObjects} from './contract/objects.ts'
import {describeParts} from './contract/parts.ts'
import {describeRefusals} from './contract/refusals.ts'
import {describeWhole} from './contract/whole.ts'

export type {ContractOptions, ForeignClient, ForeignObject, Lack, OpenedStore} from './contract/bench.ts'

/**
 * The promises of `stores/store`, once, for every store that makes them. `open` runs before the first test, with
 * mocha's context so that it can skip where the machine has no such store.
 */
export function describeStore(
  name: string,
  open: (context: Mocha.Context) => Promise<OpenedStore>,
  options: ContractOptions = {},
): void {
  describe(`the contract: ${name}`, function () {
    this.timeout(30_000)
    let opened: OpenedStore | undefined

    before(async function () {
      this.timeout(120_000)
      opened = await open(this)
    })
    after(() => opened?.close())

    const bench = createBench(options, () => opened)
    describeWhole(bench)
    describeParts(bench)
    describeObjects(bench)
    describeRefusals(bench)
    describeContainers(bench)
    describeKeys(bench)
  })
}
