/** Returns the text without slashes at its end, in time by its length: `/\/+$/` begins anew at each slash of a run. */
export function trimEndSlashes(text: string): string {
  let end = text.length
  while (text[end - 1] === '/') end--
  return text.slice(0, end)
}
