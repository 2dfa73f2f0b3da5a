// Colours that are worked out on the page.

/** Return black or white, whichever is read more easily on `#rrggbb`. */
export function inkOn(colour: string): string {
  const channel = (at: number) => {
    const c = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return luminance > 0.22 ? "#111" : "#fff";
}
