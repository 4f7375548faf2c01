import {spawnSync} from 'node:child_process'
import {expect} from 'chai'
import {Failure} from '../../../src/core/failure.ts'
import {checkIpRange} from '../../../src/stores/swift/ip-range.ts'
import {skipUnless} from '../../support/skip.ts'

/** What Swift's own check says: it makes an `ip_network` of the text. */
const RANGES = [
  ...['203.0.113.7', '203.0.113.0/24', '203.0.113.128/25', '0.0.0.0/0', '127.0.0.1/32', '10.0.0.0/8'],
  ...[
    '::1',
    '::/0',
    '2001:db8::/32',
    '2001:db8:0:1::/64',
    '::ffff:1.2.3.4',
    'fe80::/10',
    '1:2:3:4:5:6:7:8',
    '1::8/128',
  ],
  ...['203.0.113.7/24', '203.0.113.64/25', '10.0.0.0/0', '2001:db8::1/32', '2001:db8:0:1::/63', 'fe80::/9'],
  ...['', '203.0.113', '203.0.113.7/', '203.0.113.7/33', '::/129', '203.0.113.0/24/1', 'example.com', '1.2.3.4/-1'],
  ...['0010.0.0.1', '1.2.3.256', ':::', '1.2.3.4 ', '10.0.0.0/8x'],
]

describe('address ranges of temp URLs', () => {
  it('are judged as Python does for Swift', function () {
    const script = `
import sys, json, ipaddress
def ok(text):
    try: ipaddress.ip_network(text)
    except ValueError: return False
    return True
print(json.dumps([ok(text) for text in json.load(sys.stdin)]))`
    const {stdout, status} = spawnSync('python3', ['-c', script], {input: JSON.stringify(RANGES), encoding: 'utf8'})
    skipUnless(this, status === 0, 'python3 is missing: apt-get install python3')
    const ours = RANGES.map(range => {
      try {
        checkIpRange(range)
        return true
      } catch (error) {
        expect(error).to.be.instanceOf(Failure).and.to.have.property('code', 'usage')
        return false
      }
    })
    const theirs = JSON.parse(stdout) as boolean[]
    expect(Object.fromEntries(RANGES.map((range, index) => [range, ours[index]]))).to.deep.equal(
      Object.fromEntries(RANGES.map((range, index) => [range, theirs[index]])),
    )
  })

  for (const [range, suggestion] of [
    ['203.0.113.7/24', 'Write it as 203.0.113.0/24.'],
    ['203.0.113.70/26', 'Write it as 203.0.113.64/26.'],
    ['10.1.2.3/0', 'Write it as 0.0.0.0/0.'],
    ['2001:db8::1/64', 'Set all bits behind the first 64 to 0.'],
    ['here', 'Write it as 203.0.113.7 or 203.0.113.0/24.'],
  ] as const) {
    it(`say what to write instead of ${range}`, () => {
      expect(() => checkIpRange(range))
        .to.throw(Failure)
        .with.property('suggestion', suggestion)
    })
  }
})
