import {createCurl, createEnv, runSkylift, SKYLIFT_NEEDS} from './peer.ts'
import type {Peer} from './peer.ts'

const SWIFT = '/usr/bin/swift'
const SEGMENT = 64 * 1024 * 1024

const skylift: Peer = {
  name: 'skylift',
  protocol: 'swift',
  needs: SKYLIFT_NEEDS,
  uploadFile: async (file, setting) => runSkylift([file, 'swift://b/k'], setting),
}

const swift: Peer = {
  name: 'swift',
  protocol: 'swift',
  needs: [SWIFT],
  uploadFile: async (file, setting) => {
    const trust = setting.cert ? ['--os-cacert', setting.cert] : []
    const options = ['-q', '--use-slo', '-S', String(SEGMENT), '--segment-threads', '4', '--object-name', 'k']
    return {argv: [SWIFT, ...trust, 'upload', ...options, 'b', file], env: createEnv(setting)}
  },
}

export const SWIFT_PEERS: readonly Peer[] = [createCurl('swift', '/v1/AUTH_test'), skylift, swift]
