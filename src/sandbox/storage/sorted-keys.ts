/** Orders strings by their UTF-8 bytes, as S3 lists keys. JavaScript's own order differs above U+D7FF. */
export function compareKeys(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  for (let at = 0; at < end; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

// Surrogates stand for code points above U+FFFF and so come after the rest of the plane.
function rank(unit: number): number {
  if (unit < 0xd8_00) return unit
  return unit >= 0xe0_00 ? unit - 0x8_00 : unit + 0x20_00
}

/** Returns the first index for which `isAfter` holds; it must hold for all that follow. */
export function findFirst<T>(sorted: readonly T[], isAfter: (item: T) => boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isAfter(sorted[middle] as T)) high = middle
    else low = middle + 1
  }
  return low
}
