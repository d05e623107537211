/** "#rrggbb" as the number whose bytes in memory are red, green, blue and full alpha. */
export function packed(color: string): number {
  const [r, g, b] = [1, 3, 5].map((k) => parseInt(color.slice(k, k + 2), 16));
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}
